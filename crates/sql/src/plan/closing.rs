//! `EMIT ON WINDOW CLOSE`: rows that are shown once, when their window is over.

use std::ops::Range;

use super::relations::{Kind, Relations};
use crate::definitions::Problem;
use crate::statement::SourceText;
use crate::tumble::{Size, Tumble};

/// Windows that close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closing {
    /// The column of the event, by which windows are cut and close.
    pub(crate) time: usize,
    /// The length of a window in microseconds; windows are counted from 1970.
    pub(crate) size: i64,
}

/// The windows of a view that closes them, and their size as SQL has it.
pub(super) fn of_tumbles(
    tumbles: &[Tumble],
    relations: &Relations,
    source: &SourceText,
    emit: &Range<usize>,
) -> Result<(Closing, Size), Box<Problem>> {
    let refuse =
        |place: &Range<usize>, message: String| Err(Box::new(source.problem(place.clone(), message)));
    let [tumble] = tumbles else {
        return refuse(emit, "EMIT ON WINDOW CLOSE needs one TUMBLE of a topic in FROM".to_owned());
    };
    let relation = tumble.relation.as_ref().and_then(|name| relations.get(name));
    let Some((Kind::Stream { time, .. }, schema)) = relation.map(|one| (&one.kind, &one.schema)) else {
        return refuse(emit, "EMIT ON WINDOW CLOSE needs a TUMBLE of a topic itself".to_owned());
    };
    let name = schema.field(*time).name();
    if *name != tumble.column {
        let message = format!(
            "windows close by the event time, which is `{name}`: `{}` is another column",
            tumble.column
        );
        return refuse(&tumble.place, message);
    }
    let Some(size) = tumble.size.micros() else {
        return refuse(
            emit,
            "EMIT ON WINDOW CLOSE of months is not supported by this version yet".to_owned(),
        );
    };
    Ok((Closing { time: *time, size }, tumble.size))
}
