//! Weights that another program trained, under PyTorch's names.

use crate::Error;
use burn::module::Module;
use burn::tensor::DType;
use burn_store::burn_pack::Tensor as Stored;
use burn_store::{
    BurnToPyTorchAdapter, FloatCastAdapter, ModuleAdapter, ModuleSnapshot, ModuleStore, PyTorchToBurnAdapter,
    PytorchStore, SafetensorsStore,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// PyTorch counts the batches of every batch normalisation; nothing is computed from the count.
const COUNTER: &str = "num_batches_tracked";

/// Names that an error lists one by one.
const NAMED: usize = 5;

/// The tensors of a file, by their names in the network.
pub(crate) struct ForeignWeights {
    path: PathBuf,
    tensors: BTreeMap<String, Stored>,
}

impl ForeignWeights {
    /// Opens a file of a network that has a tensor named `anchor`. What is before the anchor's name in the file, as
    /// `module.`, is taken off all names, and tensors without it are no part of the network.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Damaged`] when it cannot be read, [`Error::Weights`] when it holds no such network or several.
    pub fn open(path: &Path, anchor: &str) -> Result<Self, Error> {
        let mut found = read(path)?;
        found.retain(|name, _| !name.ends_with(COUNTER));
        let wrong = |reason: String| Error::Weights { path: path.to_owned(), reason };
        let prefixes: BTreeSet<String> = (found.keys())
            .filter_map(|name| name.strip_suffix(anchor))
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            .map(str::to_owned)
            .collect();
        let prefix = match prefixes.first() {
            None => {
                let names = few(found.keys());
                return Err(wrong(format!("{anchor} is not in it; it holds {names}")));
            }
            Some(prefix) if prefixes.len() == 1 || prefix.is_empty() => prefix,
            Some(_) => {
                let names = few(&prefixes);
                return Err(wrong(format!("it holds several networks ({names}); save the state dict of one alone")));
            }
        };
        let tensors =
            found.into_iter().filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor)));
        Ok(Self { path: path.to_owned(), tensors: tensors.collect() })
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor, as PyTorch has it.
    ///
    /// # Errors
    /// [`Error::Weights`] when it is missing or has another number of axes.
    pub fn shape<const D: usize>(&self, name: &str) -> Result<[usize; D], Error> {
        let tensor = self.tensors.get(name).ok_or_else(|| self.wrong(format!("{name} is missing in it")))?;
        let shape: &[usize] = &tensor.shape;
        shape.try_into().map_err(|_| self.wrong(format!("{name} is {shape:?}; {D} axes are expected")))
    }

    /// Gives all weights to a module, where what lies in its part `part` is at the top in the file. Every weight must be
    /// there, and none may be left over.
    ///
    /// # Errors
    /// [`Error::Weights`] names what is missing, left over and of another shape, and ends with `advice`.
    pub fn load<M: Module>(&self, mut module: M, part: &str, advice: &str) -> Result<M, Error> {
        let prefix = format!("{part}.");
        let wanted: BTreeMap<String, Stored> = module
            .collect(None, Some(Box::new(BurnToPyTorchAdapter)), false)
            .into_iter()
            .map(|tensor| (tensor.name.strip_prefix(&prefix).unwrap_or(&tensor.name).to_owned(), tensor))
            .collect();
        let missing: Vec<&String> = wanted.keys().filter(|name| !self.tensors.contains_key(*name)).collect();
        let unexpected: Vec<&String> = self.tensors.keys().filter(|name| !wanted.contains_key(*name)).collect();
        let misshaped: Vec<String> = (wanted.iter())
            .filter_map(|(name, wanted)| {
                let found = self.tensors.get(name).filter(|found| found.shape != wanted.shape)?;
                Some(format!("{name} is {:?} instead of {:?}", &found.shape[..], &wanted.shape[..]))
            })
            .collect();
        let faults =
            [("missing", few(missing)), ("unexpected", few(unexpected)), ("of another shape", few(&misshaped))];
        let faults: Vec<String> = faults
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what}: {names}"))
            .collect();
        if !faults.is_empty() {
            return Err(self.wrong(format!("{}. {advice}", faults.join("; "))));
        }
        let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32));
        let placed = |(name, tensor): (&String, &Stored)| {
            let mut tensor = tensor.clone();
            tensor.name.clone_from(&wanted[name].name);
            tensor
        };
        let tensors = self.tensors.iter().map(placed).collect();
        let result = module.apply(tensors, None, Some(Box::new(adapter)), false);
        match result.errors[..] {
            [] => Ok(module),
            _ => Err(self.wrong(few(&result.errors))),
        }
    }

    fn wrong(&self, reason: String) -> Error {
        Error::Weights { path: self.path.clone(), reason }
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Stored>, Error> {
    // The stores say less about a file that is not there.
    std::fs::File::open(path).map_err(|source| Error::Io { action: "cannot read", path: path.to_owned(), source })?;
    let damaged = |reason: String| Error::Damaged { path: path.to_owned(), reason };
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => all(SafetensorsStore::from_file(path))
            .map_err(|error| damaged(format!("it cannot be read as a safetensors file: {error}"))),
        // Blocks that are missing must not be hidden by counting the others anew.
        Some("pt" | "pth") => all(PytorchStore::from_file(path).map_indices_contiguous(false))
            .map_err(|error| damaged(format!("it cannot be read as a PyTorch file: {error}"))),
        _ => Err(damaged("its name ends with none of .safetensors, .pt and .pth".into())),
    }
}

fn all<S: ModuleStore>(mut store: S) -> Result<BTreeMap<String, Stored>, S::Error> {
    store.get_all_tensors().cloned()
}

/// The first names, and how many more there are.
fn few(names: impl IntoIterator<Item = impl Display>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}
