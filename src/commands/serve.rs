//! `selfie serve`

use super::plan;
use crate::log;
use anyhow::{Context, bail, ensure};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use selfie_serve::{Config, Server};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the models that come with the project lie.
const PRETRAINED: &str = "models/pretrained";
/// OpenTelemetry's variables for the collector of a program, and how it is spoken to.
const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";

/// What is typed. Every option of the server is also a key of the file of `--config`, with `_` for `-`.
#[derive(clap::Args)]
struct Typed {
    /// TOML file with options; flags and environment variables win over it.
    #[arg(long, env = "SELFIE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print every option with its source, what would be loaded and the memory that it needs, and serve nothing.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    options: Config,
}

/// Arguments of `selfie serve`.
pub struct Arguments {
    typed: Typed,
    /// What flags and variables say about the log.
    log: log::Options,
    /// The flag or the variable of each option that is no default.
    origins: BTreeMap<String, String>,
    /// What the file says, once it was read: it may be a pipe, which can be read only once.
    file: OnceCell<toml::Table>,
}

impl Args for Arguments {
    fn augment_args(command: Command) -> Command {
        Typed::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Typed::augment_args_for_update(command)
    }
}

impl FromArgMatches for Arguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (typed, log) = (Typed::from_arg_matches(matches)?, log::Options::from_arg_matches(matches)?);
        let origin = |option: &Arg| {
            let name = option.get_id().as_str();
            let origin = match matches.value_source(name)? {
                ValueSource::CommandLine => format!("--{}", option.get_long()?),
                ValueSource::EnvVariable => option.get_env()?.to_string_lossy().into_owned(),
                _ => return None,
            };
            Some((name.to_owned(), origin))
        };
        let origins = every_option().get_arguments().filter_map(origin).collect();
        Ok(Self { typed, log, origins, file: OnceCell::new() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Variables that are no options of this command.
const OTHERS: [&str; 2] = ["SELFIE_CACHE", "SELFIE_DATA"];

/// A command with every option that is a key of the file: the server's own, and those of the log, which every command has.
pub(super) fn every_option() -> Command {
    log::Options::augment_args(Config::augment_args(Command::new("serve")))
}

/// Whether a key of the file is one of the log's.
fn is_of_log(key: &str) -> bool {
    log::Options::augment_args(Command::new("log")).get_arguments().any(|option| option.get_id() == key)
}

/// Those of the variables that look like options and are none.
fn unknown(variables: impl Iterator<Item = String>) -> Vec<String> {
    let command = log::Options::augment_args(Arguments::augment_args(Command::new("serve")));
    let is_option =
        |name: &str| command.get_arguments().any(|argument| argument.get_env().is_some_and(|env| env == name));
    let is_known = |name: &str| OTHERS.contains(&name) || name.starts_with("SELFIE_TEST_") || is_option(name);
    variables.filter(|name| name.starts_with("SELFIE_") && !is_known(name)).collect()
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        for name in unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())) {
            tracing::warn!("{name} is set and is no option; `selfie serve --help` names them all");
        }
        if self.typed.check {
            let (origins, log) = (self.origins()?, self.log()?);
            return plan::print(&self.resolve()?, &log, &origins);
        }
        serve(self.resolve()?)
    }

    /// What flags and variables say about the log, and where they say nothing the file.
    pub fn log(&self) -> anyhow::Result<log::Options> {
        let mut file = self.file()?;
        file.retain(|name, _| is_of_log(name));
        let file: log::Options = file.try_into().with_context(|| self.options_in())?;
        Ok(self.log.clone().or(file))
    }

    /// What the file says.
    fn file(&self) -> anyhow::Result<toml::Table> {
        let Some(path) = &self.typed.config else { return Ok(toml::Table::new()) };
        if let Some(read) = self.file.get() {
            return Ok(read.clone());
        }
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let read: toml::Table = text.parse().with_context(|| path.display().to_string())?;
        Ok(self.file.get_or_init(|| read).clone())
    }

    /// Where an option may be wrong that is read here.
    fn options_in(&self) -> String {
        let file = self.typed.config.as_ref();
        format!("the options in {}", file.map_or("the flags".into(), |path| path.display().to_string()))
    }

    /// Where each option comes from that is not a default.
    fn origins(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let file = self.typed.config.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let mut origins: BTreeMap<String, String> =
            self.file()?.into_iter().map(|(name, _)| (name, file.clone())).collect();
        origins.extend(self.origins.clone());
        if !origins.contains_key("otlp_endpoint") && collector()?.is_some() {
            origins.insert("otlp_endpoint".into(), COLLECTOR.into());
        }
        origins.entry("models".into()).or_insert_with(|| "the models that come with the project".into());
        Ok(origins)
    }

    /// What was typed over what the file says over the defaults.
    fn resolve(self) -> anyhow::Result<Config> {
        let (mut options, options_in) = (self.file()?, self.options_in());
        options.retain(|name, _| !is_of_log(name));
        let typed = toml::Table::try_from(&self.typed.options)?;
        options.extend(typed.into_iter().filter(|(name, _)| self.origins.contains_key(name)));
        if !options.contains_key("otlp_endpoint")
            && let Some(url) = collector()?
        {
            options.insert("otlp_endpoint".into(), url.into());
        }
        let named = options.contains_key("models");
        let mut config: Config = options.try_into().context(options_in)?;
        if !named {
            config.models = pretrained()?;
        }
        config.rehearsal = std::env::current_exe().ok();
        Ok(config)
    }
}

/// The collector that OpenTelemetry's own variables name. They are for every program that is started with them, so what is said to
/// this one wins.
fn collector() -> anyhow::Result<Option<String>> {
    named(|name| std::env::var(name).ok())
}

/// The collector that these variables name. By HTTP the address is that of the collector, and its traces have a path of their own.
fn named(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<String>> {
    let variable = |name| variable(name).filter(|text| !text.is_empty());
    let Some(url) = variable(COLLECTOR) else { return Ok(None) };
    match variable(PROTOCOL).as_deref() {
        None | Some("grpc") => Ok(Some(url)),
        Some("http/protobuf") => Ok(Some(format!("{}/v1/traces", url.trim_end_matches('/')))),
        Some(other) => bail!("{PROTOCOL} is \"{other}\"; traces go by grpc or http/protobuf, set it to one of them"),
    }
}

/// Loads the models, says where they are served, and serves until SIGTERM or SIGINT.
pub fn serve(config: Config) -> anyhow::Result<()> {
    let server = Server::bind(config)?;
    let grpc = server.grpc_addr().map(|addr| format!("\nlistening for gRPC on {addr}")).unwrap_or_default();
    // In one piece: whoever reads only the first line may have closed the pipe before a second one comes.
    println!("listening on {}{grpc}", server.url());
    Ok(server.run()?)
}

/// The store that comes with the project: in the current folder, or above the program.
pub(super) fn pretrained() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().unwrap_or_default();
    let above = program.ancestors().skip(1).map(|folder| folder.join(PRETRAINED));
    let found = std::iter::once(PathBuf::from(PRETRAINED)).chain(above).find(|store| store.is_dir());
    ensure!(found.is_some(), "no {PRETRAINED} here or above the program; name a model store with --models");
    Ok(found.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
        #[command(flatten)]
        _log: log::Options,
    }

    #[test]
    fn a_variable_that_is_misspelt_is_noticed() {
        let names =
            ["SELFIE_PORT", "SELFIE_PROT", "SELFIE_CONFIG", "SELFIE_LOG", "SELFIE_TEST_PYTHON", "PATH", "MY_SELFIE_X"];
        assert_eq!(unknown(names.into_iter().map(str::to_owned)), ["SELFIE_PROT"]);
    }

    #[test]
    fn the_variables_of_opentelemetry_say_where_and_how() {
        let found = |protocol: &str, url: &str| {
            let variable = |name: &str| Some(if name == PROTOCOL { protocol } else { url }.to_owned());
            named(variable).map_err(|error| error.to_string())
        };
        let (grpc, http) = ("http://otel:4317", "http://otel:4318");
        assert_eq!(found("", grpc), Ok(Some(grpc.into())));
        assert_eq!(found("grpc", grpc), Ok(Some(grpc.into())));
        assert_eq!(found("http/protobuf", "http://otel:4318/"), Ok(Some(format!("{http}/v1/traces"))));
        assert_eq!(found("http/protobuf", ""), Ok(None));
        assert!(found("http/json", http).unwrap_err().contains("http/json"));
    }

    #[test]
    fn flags_win_over_the_file() {
        let folder = std::env::temp_dir().join(format!("selfie-serve-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("serve.toml");
        std::fs::write(&file, "models = 'a'\nport = 1\nmax_batch_size = 2\ntrace_ratio = 0\n").unwrap();
        let line = Line::parse_from(["serve", "--config", file.to_str().unwrap(), "--port", "3"]);
        let config = line.arguments.resolve().unwrap();
        assert_eq!((config.models, config.port, config.max_batch_size), (PathBuf::from("a"), 3, 2));
        assert_eq!(config.trace_ratio, 0.0, "a whole number is one as well");
        std::fs::write(&file, "log = 'debug'\nlog_format = 'json'\nport = 1\n").unwrap();
        let line = Line::parse_from(["serve", "--config", file.to_str().unwrap(), "--log-format", "text"]);
        let log::Options { log, log_format } = line.arguments.log().unwrap();
        assert!(log.as_deref() == Some("debug") && matches!(log_format, Some(log::LogFormat::Text)), "{log:?}");
        for (text, expected) in
            [("prot = 1", "prot"), ("log = 'selfie=loud'", "no level or filter"), ("log_format = 'xml'", "xml")]
        {
            std::fs::write(&file, text).unwrap();
            let arguments = Line::parse_from(["serve", "--config", file.to_str().unwrap()]).arguments;
            let found = arguments.log().map(drop).and_then(|()| arguments.resolve().map(drop));
            let message = format!("{:#}", found.unwrap_err());
            assert!(message.contains(expected) && message.contains("serve.toml"), "{message}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
