//! `ModelConfig`.

use super::proto::inference::model_config::SchedulingChoice;
use super::proto::inference::model_input::Format;
use super::proto::inference::model_instance_group::Kind;
use super::proto::inference::model_queue_policy::TimeoutAction;
use super::proto::inference::model_version_policy::{Latest, PolicyChoice, Specific};
use super::proto::inference::{
    DataType, ModelConfig, ModelDynamicBatching, ModelInput, ModelInstanceGroup, ModelOutput, ModelParameter,
    ModelQueuePolicy, ModelVersionPolicy,
};
use crate::protocol;
use selfie_models::card::InputDtype;

impl From<protocol::ModelConfig<'_>> for ModelConfig {
    fn from(config: protocol::ModelConfig<'_>) -> Self {
        let data_type = match config.input.dtype {
            InputDtype::F32 => DataType::TypeFp32,
            InputDtype::U8 => DataType::TypeUint8,
        };
        let input = ModelInput {
            name: config.input.name.clone(),
            data_type: data_type.into(),
            format: Format::from_str_name(config.format).unwrap_or(Format::None).into(),
            dims: config.dims.map(|side| side as i64).to_vec(),
        };
        let output = |(name, width): (&str, usize)| ModelOutput {
            name: name.to_owned(),
            data_type: DataType::TypeFp32.into(),
            dims: vec![width as i64],
            label_filename: String::new(),
        };
        let group = ModelInstanceGroup {
            name: config.name.to_owned(),
            count: i32::try_from(config.at_once).unwrap_or(i32::MAX),
            gpus: config.gpu.into_iter().map(i32::from).collect(),
            kind: config.gpu.map_or(Kind::Cpu, |_| Kind::Gpu).into(),
        };
        let queue = ModelQueuePolicy {
            timeout_action: TimeoutAction::Reject.into(),
            max_queue_size: u32::try_from(config.max_queue_size).unwrap_or(u32::MAX),
        };
        let batching = ModelDynamicBatching { max_queue_delay_microseconds: 0, default_queue_policy: Some(queue) };
        let policy = match config.versions {
            None => PolicyChoice::Latest(Latest { num_versions: 1 }),
            Some(versions) => {
                let number = |version| i64::try_from(version).unwrap_or(i64::MAX);
                PolicyChoice::Specific(Specific { versions: versions.into_iter().map(number).collect() })
            }
        };
        let parameter = |name: &str, value: String| (name.to_owned(), ModelParameter { string_value: value });
        Self {
            name: config.name.to_owned(),
            platform: config.platform,
            backend: config.backend.to_owned(),
            version_policy: Some(ModelVersionPolicy { policy_choice: Some(policy) }),
            max_batch_size: i32::try_from(config.max_batch_size).unwrap_or(i32::MAX),
            input: vec![input],
            output: config.outputs.into_iter().map(output).collect(),
            instance_group: vec![group],
            default_model_filename: "model.onnx".to_owned(),
            scheduling_choice: Some(SchedulingChoice::DynamicBatching(batching)),
            parameters: [
                parameter("runtime_reason", config.runtime_reason.to_owned()),
                parameter("batch_buckets", config.batch_buckets),
            ]
            .into(),
        }
    }
}
