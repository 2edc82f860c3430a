//! A runtime that gives the outputs of some names alone.

use burn::tensor::TensorData;
use selfie_export::Error;
use selfie_export::verify::{Runner, Session};
use std::path::Path;

/// A runtime, and which outputs count; all where none are named. A foreign model has outputs that no card speaks of.
pub(super) struct Named<'a> {
    pub runner: &'a dyn Runner,
    pub names: Option<&'a [String]>,
}

impl Runner for Named<'_> {
    fn name(&self) -> &'static str {
        self.runner.name()
    }

    fn load(&self, model: &[u8]) -> Result<Box<dyn Session>, Error> {
        Ok(self.only(self.runner.load(model)?))
    }

    fn load_file(&self, path: &Path) -> Result<Box<dyn Session>, Error> {
        Ok(self.only(self.runner.load_file(path)?))
    }
}

impl Named<'_> {
    fn only(&self, session: Box<dyn Session>) -> Box<dyn Session> {
        match self.names {
            Some(names) => Box::new(Only { session, names: names.to_vec() }),
            None => session,
        }
    }
}

struct Only {
    session: Box<dyn Session>,
    names: Vec<String>,
}

impl Session for Only {
    fn run(&mut self, inputs: &[TensorData]) -> Result<Vec<(String, TensorData)>, Error> {
        let mut outputs = self.session.run(inputs)?;
        outputs.retain(|(name, _)| self.names.contains(name));
        Ok(outputs)
    }
}
