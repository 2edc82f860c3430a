//! `selfie serve --check`: the options with their sources, and what the server would do with them.

use super::serve::every_option;
use crate::log;
use crate::table::Table;
use anyhow::ensure;
use selfie_serve::Config;
use selfie_serve::plan::{Plan, Planned, Proven};
use std::collections::{BTreeMap, BTreeSet};

/// Prints the plan. `origins` says where each option comes from that is not a default.
pub fn print(config: &Config, log: &log::Options, origins: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let mut values = toml::Table::try_from(config)?;
    values.extend(toml::Table::try_from(log.clone().or(log::Options::usual()))?);
    let command = every_option();
    let names: BTreeSet<&str> = command.get_arguments().map(|option| option.get_id().as_str()).collect();
    let mut options = Table::new(["option", "value", "from"]);
    for name in names {
        let value = values.get(name).map_or_else(|| "unset".to_owned(), ToString::to_string);
        let origin = origins.get(name).cloned().unwrap_or_else(|| "default".into());
        options.row([name.to_owned(), value, origin]);
    }
    println!("{options}");
    let plan = Plan::of(config)?;
    println!("threads: {}\n", plan.threads.map(|(what, count)| format!("{count} for {what}")).join(", "));
    let mut models = Table::new(["model", "version", "file MB", "largest batch", "at once", "golden samples", "state"]);
    for Planned { name, version, outcome } in &plan.models {
        let (numbers, state) = match outcome {
            Ok(Proven { file_bytes, max_batch_size, at_once, golden, .. }) => {
                let megabytes = format!("{:.1}", *file_bytes as f64 / 1e6);
                let [batch, at_once, golden] = [max_batch_size, at_once, golden].map(usize::to_string);
                ([megabytes, batch, at_once, golden], "would serve")
            }
            Err(reason) => (Default::default(), reason.as_str()),
        };
        let [megabytes, batch, at_once, golden] = numbers;
        models.row([name.clone(), version.to_string(), megabytes, batch, at_once, golden, state.to_owned()]);
    }
    println!("{models}");
    for (name, Proven { choice, .. }) in
        plan.models.iter().filter_map(|model| Some((&model.name, model.outcome.as_ref().ok()?)))
    {
        println!("runtime of {name}: {} on {}, {}", choice.runtime, choice.device, choice.reason);
    }
    for (name, vectors) in &plan.galleries {
        println!("gallery {name}: {vectors} vectors");
    }
    match plan.memory {
        Some(memory) => println!(
            "memory: {} MB with everything loaded, {} MB at the most with each model at its largest batch",
            memory.loaded_kb / 1024,
            memory.peak_kb / 1024
        ),
        None => println!("memory: this system does not say"),
    }
    let refused: Vec<&str> =
        plan.models.iter().filter(|model| model.outcome.is_err()).map(|model| model.name.as_str()).collect();
    ensure!(refused.is_empty(), "refused: {}", refused.join(", "));
    Ok(())
}
