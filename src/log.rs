//! The log: lines on the standard error, and what they show, which a server that runs can be asked to change.

use clap::ValueEnum;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber, span};
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, reload};

/// What the log shows where nobody says anything else.
const USUAL: &str = "warn,selfie=info";

/// What is said about the log.
#[derive(Clone, Default, Serialize, Deserialize, clap::Args)]
#[group(skip)]
#[serde(default)]
pub struct Options {
    /// What to log: error, warn, info, debug, trace, or a filter as in `selfie_serve=debug`; without it warn,selfie=info.
    #[arg(long, global = true, env = "SELFIE_LOG", value_name = "FILTER", value_parser = filter)]
    #[serde(deserialize_with = "filter_of_file")]
    pub log: Option<String>,
    /// Form of the log: lines of text, or a JSON object a line; without it text.
    #[arg(long, global = true, env = "SELFIE_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// Form of the log.
#[derive(Clone, Copy, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

impl Options {
    /// What is said here, and where nothing is said what the others say.
    pub fn or(self, others: Self) -> Self {
        Self { log: self.log.or(others.log), log_format: self.log_format.or(others.log_format) }
    }

    /// What holds where nobody says anything.
    #[cfg(feature = "serve")]
    pub fn usual() -> Self {
        Self { log: Some(USUAL.into()), log_format: Some(LogFormat::default()) }
    }
}

/// A filter as it is written, once it is known to be one.
fn filter(text: &str) -> Result<String, ParseError> {
    text.parse::<EnvFilter>().map(|_| text.to_owned())
}

fn filter_of_file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |error| format!("log is \"{text}\", which is no level or filter: {error}");
    filter(&text).map(Some).map_err(|error| de::Error::custom(wrong(error)))
}

/// Starts the log of the process.
pub fn start(options: Options) -> Result<(), ParseError> {
    let Options { log, log_format } = options;
    let filter = log.as_deref().unwrap_or(USUAL).parse()?;
    let (filter, switch) = reload::Layer::new(Shows { start: filter, instead: None });
    #[cfg(feature = "serve")]
    selfie_serve::logging::install(changeable::Changeable(switch));
    #[cfg(not(feature = "serve"))]
    drop(switch);
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    // On a terminal `NO_COLOR` decides; elsewhere nobody sees colours.
    let lines = if std::io::stderr().is_terminal() { lines } else { lines.with_ansi(false) };
    let lines = match log_format.unwrap_or_default() {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    Ok(())
}

/// What the log shows: what it was started with, or of the project's own lines other levels instead.
struct Shows {
    start: EnvFilter,
    instead: Option<Levels>,
}

/// Whether each level is shown, the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Levels([bool; 5]);

const LEVELS: [Level; 5] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];

impl Levels {
    fn has(self, level: &Level) -> bool {
        LEVELS.iter().zip(self.0).any(|(known, shown)| known == level && shown)
    }

    /// The most that is shown.
    fn most(self) -> LevelFilter {
        let mut shown = LEVELS.iter().zip(self.0).filter(|(_, shown)| *shown);
        shown.next_back().map_or(LevelFilter::OFF, |(level, _)| LevelFilter::from_level(*level))
    }
}

impl Shows {
    /// The levels that hold for these lines instead of those of the start. Spans are not lines, and what they are for stays.
    fn instead(&self, metadata: &Metadata<'_>) -> Option<Levels> {
        self.instead.filter(|_| metadata.is_event() && metadata.target().starts_with("selfie"))
    }
}

impl<S: Subscriber> Filter<S> for Shows {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        match self.instead(metadata) {
            Some(levels) => levels.has(metadata.level()),
            None => Filter::enabled(&self.start, metadata, context),
        }
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // The filter of the start keeps what it needs of every callsite.
        let interest = Filter::<S>::callsite_enabled(&self.start, metadata);
        match self.instead(metadata) {
            Some(levels) if levels.has(metadata.level()) => Interest::always(),
            Some(_) => Interest::never(),
            None => interest,
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let start = Filter::<S>::max_level_hint(&self.start)?;
        Some(self.instead.map_or(start, |levels| levels.most().max(start)))
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        Filter::on_new_span(&self.start, attributes, id, context);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        Filter::on_record(&self.start, id, values, context);
    }

    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        Filter::on_enter(&self.start, id, context);
    }

    fn on_exit(&self, id: &span::Id, context: Context<'_, S>) {
        Filter::on_exit(&self.start, id, context);
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        Filter::on_close(&self.start, id, context);
    }
}

/// What a running server may change of it.
#[cfg(feature = "serve")]
mod changeable {
    use super::{LEVELS, Levels, Shows};
    use selfie_serve::logging::{Log, Shown};
    use tracing_subscriber::Registry;
    use tracing_subscriber::filter::{EnvFilter, Targets};
    use tracing_subscriber::reload::Handle;

    /// The server's crate.
    const SERVER: &str = "selfie_serve";

    pub struct Changeable(pub Handle<Shows, Registry>);

    impl Log for Changeable {
        fn shown(&self) -> Shown {
            let levels = self.0.with_current(|shows| shows.instead.unwrap_or_else(|| of(&shows.start)));
            // It can only fail when the log is gone, which then shows nothing.
            levels.map_or(Levels([false; 5]), |levels| levels).into()
        }

        fn show(&self, shown: Shown) {
            if let Err(error) = self.0.modify(|shows| shows.instead = Some(shown.into())) {
                tracing::error!("the log cannot be changed: {error}");
            }
        }
    }

    /// What a filter shows of the server.
    fn of(filter: &EnvFilter) -> Levels {
        match filter.to_string().parse::<Targets>() {
            Ok(targets) => Levels(LEVELS.map(|level| targets.would_enable(SERVER, &level))),
            // Filters of spans say nothing of lines without one.
            Err(_) => Levels(LEVELS.map(|level| filter.max_level_hint().is_none_or(|most| level <= most))),
        }
    }

    impl From<Levels> for Shown {
        fn from(Levels([errors, warnings, infos, debug, trace]): Levels) -> Self {
            Self { errors, warnings, infos, verbose: u32::from(debug) + u32::from(debug && trace) }
        }
    }

    impl From<Shown> for Levels {
        fn from(shown: Shown) -> Self {
            let Shown { errors, warnings, infos, verbose } = shown;
            Self([errors, warnings, infos, verbose > 0, verbose > 1])
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_the_filter_of_the_start_shows_is_known() {
            let shown = |filter: &str| Shown::from(of(&EnvFilter::new(filter)));
            let usual = Shown { errors: true, warnings: true, infos: true, verbose: 0 };
            for (filter, expected) in [
                ("warn,selfie=info", usual),
                ("h2=trace,selfie_serve=debug", Shown { verbose: 1, ..usual }),
                ("trace", Shown { verbose: 2, ..usual }),
                ("error", Shown { warnings: false, infos: false, ..usual }),
                ("off", Shown { errors: false, warnings: false, infos: false, verbose: 0 }),
            ] {
                assert_eq!(shown(filter), expected, "{filter}");
                assert_eq!(Shown::from(Levels::from(expected)), expected);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn other_levels_hold_for_our_lines_alone_from_then_on() {
        let lines = Lines::default();
        let (filter, switch) = reload::Layer::new(Shows { start: EnvFilter::new("warn,selfie=info"), instead: None });
        let writer = lines.clone();
        let layer = fmt::layer().with_writer(move || writer.clone()).with_ansi(false);
        let log = || {
            tracing::error!(target: "selfie_serve", "our error");
            tracing::warn!(target: "selfie_serve", "our warning");
            tracing::info!(target: "selfie_serve", "our info");
            tracing::debug!(target: "selfie_serve", "our debug");
            tracing::warn!(target: "others", "their warning");
            tracing::info!(target: "others", "their info");
            let text = String::from_utf8(std::mem::take(&mut *lines.0.lock().unwrap())).unwrap();
            let words = text.lines().map(|line| line.rsplit_once(": ").unwrap().1.to_owned());
            words.collect::<Vec<_>>().join(", ")
        };
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
        tracing::subscriber::with_default(subscriber, || {
            assert_eq!(log(), "our error, our warning, our info, their warning");
            switch.modify(|shows| shows.instead = Some(Levels([true, false, false, true, false]))).unwrap();
            assert_eq!(log(), "our error, our debug, their warning");
            switch.modify(|shows| shows.instead = Some(Levels([false; 5]))).unwrap();
            assert_eq!(log(), "their warning");
            switch.modify(|shows| shows.instead = None).unwrap();
            assert_eq!(log(), "our error, our warning, our info, their warning");
        });
    }
}
