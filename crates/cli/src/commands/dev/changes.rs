//! What comes of each change to the project's folder, on standard error.

use factum_governance::Plan;
use factum_governance::watch::{Handle, Outcome};

use crate::report;

/// Shows what the start applied: warnings, and, where it is wanted, a plan that did something.
pub(super) fn show_first(outcome: &Outcome, with_plan: bool) {
    if let Outcome::Applied { plan, warnings, .. } = outcome {
        report::problems(warnings);
        if with_plan && !plan.is_empty() {
            show_plan(plan);
        }
    }
}

/// Shows each outcome as it comes, for ever. Saving a file that changes nothing is not worth a word.
pub(super) async fn show(project: Option<Handle>) {
    if let Some(mut project) = project {
        let mut is_broken = false;
        while let Some(outcome) = project.next().await {
            is_broken = show_one(&outcome, is_broken);
        }
    }
    std::future::pending::<()>().await;
}

/// Shows one outcome; whether the project is broken now.
fn show_one(outcome: &Outcome, was_broken: bool) -> bool {
    match outcome {
        Outcome::Waiting => false,
        Outcome::Applied { plan, .. } if plan.is_empty() => {
            if was_broken {
                report::say("the project is whole again; there was nothing to apply");
            }
            false
        }
        Outcome::Applied { plan, warnings, .. } => {
            report::problems(warnings);
            show_plan(plan);
            false
        }
        Outcome::Kept(error) => {
            match error.problems() {
                [] => report::failure(error),
                problems => report::problems(problems),
            }
            report::say("the last good project stays in force");
            true
        }
    }
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
