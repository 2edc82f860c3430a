//! `LogSettings` and `TraceSetting`.

use super::proto::inference::log_settings_request;
use super::proto::inference::log_settings_response::{self, setting_value::ParameterChoice as Shown};
use super::proto::inference::{LogSettingsResponse, TraceSettingRequest, TraceSettingResponse, trace_setting_response};
use crate::Error;
use crate::app::App;
use crate::protocol::{self, LogSettings, LogValue, TraceSettings};
use crate::whole::Whole;
use log_settings_request::setting_value::ParameterChoice as Wanted;

impl From<log_settings_request::SettingValue> for LogValue {
    fn from(setting: log_settings_request::SettingValue) -> Self {
        match setting.parameter_choice {
            Some(Wanted::BoolParam(flag)) => Self::Flag(flag),
            Some(Wanted::Uint32Param(level)) => Self::Level(Whole(level.into())),
            Some(Wanted::StringParam(text)) => Self::Text(text),
            None => Self::Unset(()),
        }
    }
}

impl From<LogSettings> for LogSettingsResponse {
    fn from(settings: LogSettings) -> Self {
        let named = |name: &str, shown| {
            (name.to_owned(), log_settings_response::SettingValue { parameter_choice: Some(shown) })
        };
        let settings = [
            named("log_file", Shown::StringParam(settings.log_file.to_owned())),
            named("log_info", Shown::BoolParam(settings.log_info)),
            named("log_warning", Shown::BoolParam(settings.log_warning)),
            named("log_error", Shown::BoolParam(settings.log_error)),
            named("log_verbose_level", Shown::Uint32Param(settings.log_verbose_level)),
            named("log_format", Shown::StringParam(settings.log_format.to_owned())),
        ];
        Self { settings: settings.into() }
    }
}

impl From<TraceSettings> for TraceSettingResponse {
    fn from(settings: TraceSettings) -> Self {
        let setting =
            |(name, value): (&str, Vec<String>)| (name.to_owned(), trace_setting_response::SettingValue { value });
        Self { settings: settings.into_iter().map(setting).collect() }
    }
}

/// Changes what a request names, of the server or of a model, and gives the settings then. One that names nothing only asks.
///
/// # Errors
/// There is no such model, or a setting cannot be.
pub fn trace(app: &App, request: TraceSettingRequest) -> Result<TraceSettings, Error> {
    let changes = request.settings.into_iter().map(|(name, setting)| (name, setting.value));
    if request.model_name.is_empty() {
        return protocol::update_trace(app.tracer.as_ref(), changes);
    }
    protocol::find(&app.engine, &request.model_name, None)?;
    protocol::update_model_trace(app.tracer.as_ref(), changes)
}
