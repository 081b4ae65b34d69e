//! The result of each change to the project's folder, on standard error.

use factum_governance::watch::{Error, Handle, Outcome};
use factum_governance::{Plan, Problem, Severity};

use crate::report;

/// Shows what came of the start: problems, and, where it is wanted, a plan that did something.
pub(super) fn show_first(outcome: &Outcome, with_plan: bool) {
    match outcome {
        Outcome::Waiting => {}
        Outcome::Applied { plan, problems, .. } => show_applied(plan, problems, with_plan),
        Outcome::Kept(error) => show_kept(error),
    }
}

/// Shows each outcome as it comes, forever. Saving a file that changes nothing is not worth a word, except for what it is
/// warned of and was not before.
pub(super) async fn show(mut project: Handle, first: &Outcome) {
    let (mut was_wrong, mut known) = (is_wrong(first), problems(first).to_vec());
    while let Some(outcome) = project.next().await {
        match &*outcome {
            Outcome::Waiting => {}
            Outcome::Applied { plan, problems, .. } if plan.is_empty() && !is_wrong(&outcome) => {
                let is_new = |problem: &&Problem| !known.iter().any(|known| known.is_same(problem));
                report::problems(problems.iter().filter(is_new));
                if was_wrong {
                    report::say("the project is whole again; there was nothing to apply");
                }
            }
            Outcome::Applied { plan, problems, .. } => show_applied(plan, problems, true),
            Outcome::Kept(error) => show_kept(error),
        }
        was_wrong = is_wrong(&outcome);
        problems(&outcome).clone_into(&mut known);
    }
    std::future::pending::<()>().await;
}

/// Whether not all of the folder is in force.
fn is_wrong(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Waiting => false,
        Outcome::Applied { problems, .. } => errors(problems) > 0,
        Outcome::Kept(_) => true,
    }
}

fn problems(outcome: &Outcome) -> &[Problem] {
    match outcome {
        Outcome::Waiting => &[],
        Outcome::Applied { problems, .. } => problems,
        Outcome::Kept(error) => error.problems(),
    }
}

fn errors(problems: &[Problem]) -> usize {
    problems.iter().filter(|problem| problem.severity() == Severity::Error).count()
}

fn show_applied(plan: &Plan, problems: &[Problem], with_plan: bool) {
    report::problems(problems);
    if errors(problems) > 0 {
        report::say("what is wrong stays as it was applied last; the rest of the project is in force");
    }
    if with_plan && !plan.is_empty() {
        show_plan(plan);
    }
}

fn show_kept(error: &Error) {
    match error.problems() {
        [] => report::failure(error),
        problems => report::problems(problems),
    }
    report::say("the last good project stays in force");
}

/// The plan, its marks coloured as Terraform's are.
fn show_plan(plan: &Plan) {
    let text = plan.to_string();
    if !report::is_coloured() {
        return report::say(format_args!("{text}\n"));
    }
    for line in text.lines() {
        let colour = match line.trim_start().chars().next() {
            Some('+') => "32",
            Some('~') => "33",
            Some('-') => "31",
            _ => "0",
        };
        report::say(format_args!("\u{1b}[{colour}m{line}\u{1b}[0m"));
    }
    report::say("");
}
