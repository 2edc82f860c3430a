//! A dynamic axis of a graph input.

/// An axis of an input whose size is only known when the model runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) sizes: Option<[usize; 3]>,
}

impl Axis {
    /// Makes axis `index` dynamic under the name `name`. Inputs that use one name share one size.
    pub fn new(index: usize, name: impl Into<String>) -> Self {
        Self { index, name: name.into(), sizes: None }
    }

    /// Chooses the three sizes at which the module is recorded, for modules that only accept some of them, or that cut an
    /// axis off at a limit: what no recorded size shows is not in the file, so take sizes beyond it.
    pub fn sizes(mut self, sizes: [usize; 3]) -> Self {
        self.sizes = Some(sizes);
        self
    }
}

impl<S: Into<String>> From<(usize, S)> for Axis {
    fn from((index, name): (usize, S)) -> Self {
        Self::new(index, name)
    }
}
