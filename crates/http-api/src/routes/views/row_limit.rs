//! Says that a view is about to have more rows than can be followed or read at once, before it has.

use factum_sql::ViewStatus;

/// Views are warned of from this part of the limit on, in percent.
const WARN_PERCENT: usize = 80;

/// What to say of a view that has nearly, or more than, `most` rows.
pub(super) fn warning(view: &ViewStatus, most: usize) -> Option<String> {
    let rows = usize::try_from(view.rows?).unwrap_or(usize::MAX);
    let advice = "follow a view that selects or sums them, or raise http.max_rows";
    if rows > most {
        return Some(format!(
            "it has {rows} rows, and no more than {most} can be followed or read at once: {advice}"
        ));
    }
    let is_near = rows >= most.saturating_mul(WARN_PERCENT).div_ceil(100);
    is_near.then(|| {
        format!(
            "it has {rows} rows, and beyond {most} it can no longer be followed or read at once: {advice}"
        )
    })
}
