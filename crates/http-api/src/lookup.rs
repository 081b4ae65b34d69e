//! Finding what a path names among what is applied.

use std::sync::Arc;

use factum_types::QualifiedName;
use factum_types::suggest;

use crate::problem::Problem;

/// The one of `items` that is called `asked`: in full, or by its bare name where only one team has it. `noun` is the
/// word for it, `name` gives its full name.
pub(crate) fn by_name<T>(
    noun: &str,
    items: &[Arc<T>],
    name: impl Fn(&T) -> &QualifiedName,
    asked: &str,
) -> Result<Arc<T>, Problem> {
    if let Some(found) = items.iter().find(|item| name(item).as_str() == asked) {
        return Ok(Arc::clone(found));
    }
    let same: Vec<_> = items.iter().filter(|item| name(item).name() == asked).collect();
    match same.as_slice() {
        [one] => Ok(Arc::clone(one)),
        [] => {
            let problem = Problem::not_found(format_args!("there is no {noun} {asked}"));
            let full = items.iter().map(|item| name(item).as_str());
            let names = full.chain(items.iter().map(|item| name(item).name()));
            Err(match suggest::nearest(asked, names) {
                Some(near) => problem.also(format_args!("did you mean {near}?")).with("near", near),
                None => problem,
            })
        }
        several => {
            let names: Vec<_> = several.iter().map(|item| name(item).as_str()).collect();
            let names = names.join(", ");
            Err(Problem::malformed(format_args!("several teams have a {noun} {asked}: {names}; say which")))
        }
    }
}
