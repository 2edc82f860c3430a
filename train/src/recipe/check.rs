//! What the types of a recipe cannot say.

use super::{Recipe, Stage};

impl Recipe {
    /// Checks the numbers of a recipe; the network is checked when the data set is known.
    ///
    /// # Errors
    /// The key, its value and what is possible.
    pub fn check(&self) -> Result<(), String> {
        let rules: &[(bool, String)] = &[
            (!self.name.trim().is_empty(), "name is empty; the model card needs one".into()),
            (i64::try_from(self.seed).is_ok(), format!("seed is {}; the largest is {}", self.seed, i64::MAX)),
            (self.steps >= 1, "steps is 0; at least 1 is needed".into()),
            (self.batch_size >= 2, format!("batch_size is {}; batch normalisation needs at least 2", self.batch_size)),
            (
                self.accumulate >= 1
                    && self.batch_size.is_multiple_of(self.accumulate)
                    && self.batch_size / self.accumulate >= 2,
                format!(
                    "accumulate is {}; it must divide batch_size, which is {}, into parts of at least 2",
                    self.accumulate, self.batch_size
                ),
            ),
            (
                self.layer_decay > 0.0 && self.layer_decay <= 1.0,
                format!("layer_decay is {}; it must be above 0 and at most 1, which is off", self.layer_decay),
            ),
            (
                (0.0..1.0).contains(&self.ema_decay),
                format!("ema_decay is {}; it must be at least 0, which is off, and below 1", self.ema_decay),
            ),
            (
                self.patience == 0 || self.evaluate_every > 0,
                "patience counts evaluations, but evaluate_every is 0".into(),
            ),
            (
                (0.0..1.0).contains(&self.validation_fraction),
                format!("validation_fraction is {}; it must be at least 0 and below 1", self.validation_fraction),
            ),
            (
                self.validation_fraction == 0.0 || self.patience > 0,
                "validation_fraction takes images out of training, but patience is 0 and nobody looks at them".into(),
            ),
            (self.lr > 0.0 && self.lr.is_finite(), format!("lr is {}; it must be above 0", self.lr)),
            (self.warmup_steps <= self.steps, self.of_steps("warmup_steps", self.warmup_steps)),
            (
                (0.0..1.0).contains(&self.momentum),
                format!("momentum is {}; it must be at least 0 and below 1", self.momentum),
            ),
            (
                self.not_negative(self.weight_decay),
                format!("weight_decay is {}; it must be at least 0", self.weight_decay),
            ),
            (
                self.not_negative(self.clip_norm),
                format!("clip_norm is {}; it must be at least 0, 0 is no bound", self.clip_norm),
            ),
            (
                (0.0..1.0).contains(&self.label_smoothing),
                format!(
                    "label_smoothing is {}; it must be at least 0, which is off, and below 1",
                    self.label_smoothing
                ),
            ),
            (
                self.label_fraction > 0.0 && self.label_fraction <= 1.0,
                format!("label_fraction is {}; it must be above 0 and at most 1", self.label_fraction),
            ),
            (
                self.stage == Stage::Finetune || self.label_fraction == 1.0,
                "label_fraction is set, but pretraining sees no labels".into(),
            ),
            (
                self.stage == Stage::Finetune || !self.augment.is_mixing(),
                "augment.mixup and augment.cutmix mix labels, but pretraining sees none".into(),
            ),
            (self.log_every >= 1, "log_every is 0; at least 1 is needed".into()),
            (self.keep_checkpoints >= 1, "keep_checkpoints is 0; set checkpoint_every to 0 to have none".into()),
            (self.evaluation_batch_size >= 1, "evaluation_batch_size is 0; at least 1 is needed".into()),
            (self.workers >= 1, "workers is 0; at least 1 is needed".into()),
            (self.prefetch >= 1, "prefetch is 0; at least 1 is needed".into()),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, reason)) => Err(reason.clone()),
            None => {
                self.augment.check()?;
                self.images.check()
            }
        }
    }

    /// Checks that batches can be divided among some devices.
    ///
    /// # Errors
    /// The key, its value and what is possible.
    pub(crate) fn check_devices(&self, devices: usize) -> Result<(), String> {
        let parts = self.parts(devices);
        if parts == 0 || !self.batch_size.is_multiple_of(parts) || self.batch_size / parts < 2 {
            return Err(format!(
                "batch_size is {}; it must be a multiple of {parts}, accumulate times the {devices} devices, and each part \
                 at least 2 images",
                self.batch_size
            ));
        }
        Ok(())
    }

    fn not_negative(&self, value: f64) -> bool {
        value >= 0.0 && value.is_finite()
    }

    fn of_steps(&self, key: &str, value: u64) -> String {
        format!("{key} is {value}; it must be at most steps, which is {}", self.steps)
    }
}
