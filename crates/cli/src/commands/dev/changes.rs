//! What comes of each change to the project's folder, on standard error.

use factum_governance::Plan;
use factum_governance::watch::{Handle, Outcome};

use crate::report;

/// Shows what the start applied: warnings, and a plan that did something.
pub(super) fn show_first(outcome: &Outcome) {
    if let Outcome::Applied { plan, warnings, .. } = outcome {
        report::problems(warnings);
        if !plan.is_empty() {
            show_plan(plan);
        }
    }
}

/// Shows each outcome as it comes, for ever.
pub(super) async fn show(project: Option<Handle>) {
    if let Some(mut project) = project {
        while let Some(outcome) = project.next().await {
            show_one(&outcome);
        }
    }
    std::future::pending().await
}

fn show_one(outcome: &Outcome) {
    match outcome {
        Outcome::Waiting => {}
        Outcome::Applied { plan, warnings, .. } => {
            report::problems(warnings);
            if plan.is_empty() {
                report::say("the project changed; there was nothing to apply");
            } else {
                show_plan(plan);
            }
        }
        Outcome::Kept(error) => {
            match error.problems() {
                [] => report::failure(error),
                problems => report::problems(problems),
            }
            report::say("the last good project stays in force");
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
