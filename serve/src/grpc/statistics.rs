//! `ModelStatistics`.

use super::proto::inference::{InferBatchStatistics, InferStatistics, ModelStatistics, StatisticDuration};
use crate::metrics::Total;
use crate::protocol::{BatchStats, InferenceStats, ModelStats};

impl From<ModelStats> for ModelStatistics {
    fn from(stats: ModelStats) -> Self {
        Self {
            name: stats.name,
            version: stats.version,
            last_inference: stats.last_inference,
            inference_count: stats.inference_count,
            execution_count: stats.execution_count,
            inference_stats: Some(stats.inference_stats.into()),
            batch_stats: stats.batch_stats.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<InferenceStats> for InferStatistics {
    fn from(stats: InferenceStats) -> Self {
        Self {
            success: duration(stats.success),
            fail: duration(stats.fail),
            queue: duration(stats.queue),
            compute_input: duration(stats.compute_input),
            compute_infer: duration(stats.compute_infer),
            compute_output: duration(stats.compute_output),
            cache_hit: duration(stats.cache_hit),
            cache_miss: duration(stats.cache_miss),
        }
    }
}

impl From<BatchStats> for InferBatchStatistics {
    fn from(stats: BatchStats) -> Self {
        Self {
            batch_size: stats.batch_size as u64,
            compute_input: duration(stats.compute_input),
            compute_infer: duration(stats.compute_infer),
            compute_output: duration(stats.compute_output),
        }
    }
}

fn duration(total: Total) -> Option<StatisticDuration> {
    Some(StatisticDuration { count: total.count, ns: total.ns })
}
