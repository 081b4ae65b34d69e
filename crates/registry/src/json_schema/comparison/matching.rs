//! The largest matching in a bipartite graph.

/// For each left vertex the right one that it is matched with. `edges` are the right vertices of each left one.
///
/// Augmenting paths are looked for from each left vertex, as long as `step`, which is called before each look at an
/// edge, allows it; `None` if that is not long enough.
pub(super) fn largest_matching(
    edges: &[Vec<usize>],
    right: usize,
    mut step: impl FnMut() -> bool,
) -> Option<Vec<Option<usize>>> {
    let mut left_of: Vec<Option<usize>> = vec![None; right];
    let mut right_of: Vec<Option<usize>> = vec![None; edges.len()];
    for start in 0..edges.len() {
        // By breadth: from where each right vertex was come to.
        let mut come_from: Vec<Option<usize>> = vec![None; right];
        let mut next = std::collections::VecDeque::from([start]);
        let mut end = None;
        'search: while let Some(left) = next.pop_front() {
            for &candidate in edges.get(left).into_iter().flatten() {
                if !step() {
                    return None;
                }
                let Some(origin) = come_from.get_mut(candidate).filter(|origin| origin.is_none()) else {
                    continue;
                };
                *origin = Some(left);
                match left_of.get(candidate).copied().flatten() {
                    None => {
                        end = Some(candidate);
                        break 'search;
                    }
                    Some(matched) => next.push_back(matched),
                }
            }
        }
        // Along the path back, each right vertex changes over to where it was come to from.
        while let Some(vertex) = end {
            let left = come_from.get(vertex).copied().flatten()?;
            *left_of.get_mut(vertex)? = Some(left);
            end = right_of.get_mut(left)?.replace(vertex);
        }
    }
    Some(right_of)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The size of the largest matching, by trying all.
    fn largest_by_trial(edges: &[Vec<usize>], used: &mut Vec<bool>, left: usize) -> usize {
        let Some(candidates) = edges.get(left) else { return 0 };
        let mut best = largest_by_trial(edges, used, left + 1);
        for &candidate in candidates {
            if !used[candidate] {
                used[candidate] = true;
                best = best.max(1 + largest_by_trial(edges, used, left + 1));
                used[candidate] = false;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn matching_is_valid_and_largest(edges in prop::collection::vec(prop::collection::btree_set(0..6_usize, 0..6), 0..6)) {
            let edges: Vec<Vec<usize>> = edges.into_iter().map(|targets| targets.into_iter().collect()).collect();
            let matching = largest_matching(&edges, 6, || true).expect("there are steps enough");
            let mut taken = std::collections::BTreeSet::new();
            for (left, right) in matching.iter().enumerate() {
                if let Some(right) = right {
                    prop_assert!(edges[left].contains(right));
                    prop_assert!(taken.insert(*right));
                }
            }
            prop_assert_eq!(taken.len(), largest_by_trial(&edges, &mut vec![false; 6], 0));
        }
    }
}
