//! Topics, views and definitions by the names in paths, with the name that was probably meant where there is none.

use std::sync::Arc;

use factum_eventlog::{AdminError, Topic};
use factum_sql::{RelationKind, RelationName, ViewStatus};
use factum_types::suggest;
use factum_types::{QualifiedName, Resource, TopicName};

use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// What can be done with an internal topic.
const INTERNAL: &str =
    "Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read";

/// The one of `items` that is called `asked`: in full, or by its bare name where only one team has it. `noun` is the
/// word for it, `name` gives its full name, and `is_visible` says of which full names the caller may know.
pub(crate) fn by_name<T>(
    noun: &str,
    items: &[Arc<T>],
    name: impl Fn(&T) -> &QualifiedName,
    is_visible: impl Fn(&str) -> bool,
    asked: &str,
) -> Result<Arc<T>, Problem> {
    if let Some(found) = items.iter().find(|item| name(item).as_str() == asked) {
        return Ok(Arc::clone(found));
    }
    let same = items.iter().filter(|item| name(item).name() == asked && is_visible(name(item).as_str()));
    match same.collect::<Vec<_>>().as_slice() {
        [one] => Ok(Arc::clone(one)),
        [] => {
            let problem = Problem::not_found(format_args!("there is no {noun} {asked}"));
            let visible: Vec<_> = items.iter().filter(|item| is_visible(name(item).as_str())).collect();
            let full = visible.iter().map(|item| name(item).as_str());
            let names = full.chain(visible.iter().map(|item| name(item).name()));
            Err(with_nearest(problem, suggest::nearest(asked, names)))
        }
        several => {
            let names: Vec<_> = several.iter().map(|item| name(item).as_str()).collect();
            let names = names.join(", ");
            Err(Problem::malformed(format_args!("several teams have a {noun} {asked}: {names}; say which")))
        }
    }
}

/// A view by its full name, or by its bare one where only one team has it, of those that the caller may know of.
pub(crate) fn view(api: &Api, caller: &Caller, asked: &str) -> Result<ViewStatus, Problem> {
    let engine = &api.state.engine;
    if let Some(name) = RelationName::parse(asked) {
        return engine.view(&name).map_err(|_| unknown_view(api, caller, asked));
    }
    let same = engine.views().into_iter().filter(|view| *view.name.name == *asked);
    let mut same: Vec<_> = same.filter(|view| caller.sees(Resource::view(&view.name.to_string()))).collect();
    match same.pop() {
        Some(view) if same.is_empty() => Ok(view),
        Some(view) => {
            let names: Vec<_> = same.iter().chain([&view]).map(|view| view.name.to_string()).collect();
            let detail = format!("several teams have a view {asked}: {}; say which", names.join(", "));
            Err(Problem::malformed(detail))
        }
        None => Err(unknown_view(api, caller, asked)),
    }
}

/// That there is no such view, with the one that was probably meant.
pub(crate) fn unknown_view(api: &Api, caller: &Caller, asked: &str) -> Problem {
    let problem = Problem::not_found(format_args!("there is no view {asked}"));
    let names = api.state.engine.views().into_iter().map(|view| view.name);
    let names: Vec<_> = names.filter(|name| caller.sees(Resource::view(&name.to_string()))).collect();
    let full: Vec<String> = names.iter().map(ToString::to_string).collect();
    let nearest = match RelationName::parse(asked) {
        Some(_) => suggest::nearest(asked, full.iter().map(String::as_str)),
        None => suggest::nearest(asked, names.iter().map(|name| &*name.name)),
    };
    with_nearest(problem, nearest)
}

/// The same problem with the name that was probably meant, if there is one.
pub(crate) fn with_nearest(problem: Problem, nearest: Option<&str>) -> Problem {
    match nearest {
        Some(near) => problem.also(format_args!("did you mean {near}?")).with("near", near),
        None => problem,
    }
}

/// The topic, or a 404 that names the one that was probably meant.
pub(crate) async fn topic(api: &Arc<Api>, caller: &Caller, name: &TopicName) -> Result<Topic, Problem> {
    match api.log().topic(name).await {
        Ok(topic) => Ok(topic),
        Err(error @ AdminError::UnknownTopic { .. }) => {
            Err(unknown_topic(api, caller, name, error.into()).await)
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses what no client may do to a topic that Factum keeps its own records in.
///
/// # Errors
/// [`Problem`] 403 with what can be done.
pub(crate) fn refuse_internal(topic: &TopicName) -> Result<(), Problem> {
    if !topic.is_internal() {
        return Ok(());
    }
    let what = format_args!("topic {topic} is internal: Factum keeps its own records there");
    Err(Problem::forbidden(what).helped(Some(INTERNAL)))
}

/// The same problem with the topic that was probably meant, and what makes one where first use does not; of a name that
/// is no topic's, with what it is the name of. What the caller may not describe is not named.
///
/// Comparing a name with all others may take long: it is done beside the threads that serve, and left out if too many ask.
pub(crate) async fn unknown_topic(
    api: &Arc<Api>,
    caller: &Caller,
    topic: &TopicName,
    problem: Problem,
) -> Problem {
    if topic.is_internal() {
        return problem.helped(Some(INTERNAL));
    }
    if let Some(name) = RelationName::parse(topic.as_str()) {
        let engine = &api.state.engine;
        match (engine.view(&name), engine.relation(&name)) {
            (Ok(view), _) if caller.sees(Resource::view(topic.as_str())) => {
                return of_view(problem, &view, caller);
            }
            (Err(_), Some(kind)) if caller.sees(Resource::table(topic.as_str())) => {
                return of_relation(problem, &name, kind);
            }
            _ => {}
        }
    }
    let (all, asked, is_visible) = (Arc::clone(api), topic.clone(), caller.visibility());
    let nearest = api.responses.made(caller.client(), DocumentKind::List, move || async move {
        let topics = all.log().topics().await.unwrap_or_default();
        let names = topics.iter().map(|topic| &topic.name).filter(|name| !name.as_str().starts_with('_'));
        let visible = names.filter(|name| is_visible(Resource::Topic(name))).map(TopicName::as_str);
        Ok(suggest::nearest(asked.as_str(), visible).map(str::to_owned))
    });
    match nearest.await.ok().flatten() {
        Some(near) => with_nearest(problem, Some(&near)),
        None if api.state.catalogue.has_project() => problem.helped(Some(&undeclared(topic))),
        None => problem,
    }
}

/// What to do about a topic that the project does not declare.
fn undeclared(topic: &TopicName) -> String {
    let event = match topic.split() {
        Some((team, event)) => format!("teams/{team}/events/{event}.yaml"),
        None => "an event (teams/<team>/events/<event>.yaml is topic <team>.<event>)".to_owned(),
    };
    format!(
        "the project that is applied does not name it: add {event} to it, or create the topic without an event \
         (`factum topic create {topic}`, POST /api/v1/topics)"
    )
}

/// The same problem where the topic asked for is a view that no one keeps up to date, or a table.
fn of_relation(problem: Problem, name: &RelationName, kind: RelationKind) -> Problem {
    let help = "read it by SQL (`factum sql`), and change it in the project's folder";
    problem.also(format_args!("{name} is a {kind}")).helped(Some(help))
}

/// The same problem where the topic asked for is a view.
fn of_view(problem: Problem, view: &ViewStatus, caller: &Caller) -> Problem {
    let name = &view.name;
    let is_visible = |name: &&String| caller.sees(Resource::view(name));
    let sources: Vec<&str> = view.depends_on.iter().filter(is_visible).map(String::as_str).collect();
    let topics = match sources.join(", ") {
        none if none.is_empty() => String::new(),
        topics => format!("; it is made from {topics}"),
    };
    let help = format!(
        "read it as a view (`factum view get {name}`, `factum view watch {name}`), and change it by its statement in the \
         project{topics}"
    );
    problem.also(format_args!("{name} is a view")).helped(Some(&help))
}
