//! Did you mean: the known name nearest to one that is not known.

/// The candidate that `name` was most likely meant to be, if one is near enough to be worth saying.
///
/// Near means: the same but for case, one the beginning of the other, or at most a third of the letters
/// changed, swapped, added or left out (optimal string alignment, Damerau 1964).
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_by(str::to_lowercase, name, candidates)
}

/// The same where names are alike that `normalize` makes equal, not only those that differ by case.
pub fn nearest_by<'a>(
    normalize: impl Fn(&str) -> String,
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name: Vec<char> = normalize(name).chars().take(MAX_CHARS).collect();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let known: Vec<char> = normalize(candidate).chars().take(MAX_CHARS).collect();
            let is_prefix = name.len() >= 3 && (known.starts_with(&name) || name.starts_with(&known));
            let distance = if is_prefix && !known.is_empty() { 1 } else { distance(&name, &known) };
            let longest = name.len().max(known.len());
            // Of two names of one letter each, neither was meant to be the other.
            (distance < longest.max(1) && distance <= (longest / 3).max(1)).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names longer than this are compared by their beginnings: the table below is quadratic.
const MAX_CHARS: usize = 256;

fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substitution = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = substitution.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = last;
        last = row;
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_meant() {
        let known = ["partitions", "retention", "key", "summary"];
        for (name, meant) in [
            ("partition", Some("partitions")),
            ("Retention", Some("retention")),
            ("retnetion", Some("retention")),
            ("kye", Some("key")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
    }
}
