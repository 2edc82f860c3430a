//! Weights of a file, under PyTorch's names or Burn's.

use crate::Error;
use burn::module::Module;
use burn::tensor::DType;
use burn_store::burn_pack::Tensor as Stored;
use burn_store::{
    BurnToPyTorchAdapter, BurnpackStore, FloatCastAdapter, ModuleAdapter, ModuleSnapshot, ModuleStore,
    PyTorchToBurnAdapter, PytorchStore, SafetensorsStore,
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
    kind: Kind,
    tensors: BTreeMap<String, Stored>,
}

/// Whose names and layout a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `bn1.weight`, linear weights as `[outputs, inputs]`.
    PyTorch,
    /// `bn1.gamma`, linear weights as `[inputs, outputs]`.
    Burn,
}

impl ForeignWeights {
    /// Opens a file of a network that has a tensor named `anchor`. What is before the anchor's name in the file, as
    /// `module.`, is taken off all names, and tensors without it are no part of the network, but for those that stand beside one
    /// of `parts`: where the anchor is in `module.resnet.`, that is what lies in `module.`.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Damaged`] when it cannot be read, [`Error::Weights`] when it holds no such network or several.
    pub fn open(path: &Path, anchor: &str, parts: &[&str]) -> Result<Self, Error> {
        let (kind, mut found) = read(path)?;
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
        let around = parts.iter().find_map(|part| prefix.strip_suffix(part));
        let place = |name: &str| {
            let beside = || name.strip_prefix(around?);
            name.strip_prefix(prefix).or_else(beside).map(str::to_owned)
        };
        let tensors = found.into_iter().filter_map(|(name, tensor)| Some((place(&name)?, tensor)));
        Ok(Self { path: path.to_owned(), kind, tensors: tensors.collect() })
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor, as the file has it.
    ///
    /// # Errors
    /// [`Error::Weights`] when it is missing or has another number of axes.
    pub fn shape<const D: usize>(&self, name: &str) -> Result<[usize; D], Error> {
        let tensor = self.tensors.get(name).ok_or_else(|| self.wrong(format!("{name} is missing in it")))?;
        let shape: &[usize] = &tensor.shape;
        shape.try_into().map_err(|_| self.wrong(format!("{name} is {shape:?}; {D} axes are expected")))
    }

    /// Gives all weights to a module, where what lies in its part `part` is at the top in the file. Every weight must be
    /// there, and none may be left over, but for those whose names begin with one of `except`: they stay as they are.
    ///
    /// # Errors
    /// [`Error::Weights`] names what is missing, left over and of another shape, and ends with `advice`.
    pub fn load<M: Module>(&self, mut module: M, part: &str, except: &[&str], advice: &str) -> Result<M, Error> {
        let prefix = format!("{part}.");
        let is_wanted = |name: &String| !except.iter().any(|beginning| name.starts_with(beginning));
        let (names, adapter): (Option<Box<dyn ModuleAdapter>>, Box<dyn ModuleAdapter>) = match self.kind {
            Kind::PyTorch => (
                Some(Box::new(BurnToPyTorchAdapter)),
                Box::new(PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32))),
            ),
            Kind::Burn => (None, Box::new(FloatCastAdapter::to(DType::F32))),
        };
        let wanted: BTreeMap<String, Stored> = module
            .collect(None, names, false)
            .into_iter()
            .map(|tensor| (tensor.name.strip_prefix(&prefix).unwrap_or(&tensor.name).to_owned(), tensor))
            .filter(|(name, _)| is_wanted(name))
            .collect();
        let found: BTreeMap<&String, &Stored> = self.tensors.iter().filter(|(name, _)| is_wanted(name)).collect();
        let faults = faults(&wanted, &found);
        if !faults.is_empty() {
            return Err(self.wrong(format!("{faults}. {advice}")));
        }
        let placed = |(name, tensor): (&String, &Stored)| {
            let mut tensor = tensor.clone();
            tensor.name.clone_from(&wanted[name].name);
            tensor
        };
        let tensors = found.into_iter().map(placed).collect();
        let result = module.apply(tensors, None, Some(adapter), false);
        match result.errors[..] {
            [] => Ok(module),
            _ => Err(self.wrong(few(&result.errors))),
        }
    }

    fn wrong(&self, reason: String) -> Error {
        Error::Weights { path: self.path.clone(), reason }
    }
}

/// What is missing, left over and of another shape; empty when all fits.
fn faults(wanted: &BTreeMap<String, Stored>, found: &BTreeMap<&String, &Stored>) -> String {
    let missing = wanted.keys().filter(|name| !found.contains_key(name));
    let unexpected = found.keys().filter(|name| !wanted.contains_key(**name));
    let misshaped = wanted.iter().filter_map(|(name, wanted)| {
        let found = found.get(name).filter(|found| found.shape != wanted.shape)?;
        Some(format!("{name} is {:?} instead of {:?}", &found.shape[..], &wanted.shape[..]))
    });
    let faults = [("missing", few(missing)), ("unexpected", few(unexpected)), ("of another shape", few(misshaped))];
    let faults = faults.into_iter().filter(|(_, names)| !names.is_empty());
    faults.map(|(what, names)| format!("{what}: {names}")).collect::<Vec<_>>().join("; ")
}

fn read(path: &Path) -> Result<(Kind, BTreeMap<String, Stored>), Error> {
    // The stores say less about a file that is not there.
    std::fs::File::open(path).map_err(|source| Error::Io { action: "cannot read", path: path.to_owned(), source })?;
    let damaged = |reason: String| Error::Damaged { path: path.to_owned(), reason };
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => all(SafetensorsStore::from_file(path))
            .map(|tensors| (Kind::PyTorch, tensors))
            .map_err(|error| damaged(format!("it cannot be read as a safetensors file: {error}"))),
        // Blocks that are missing must not be hidden by counting the others anew.
        Some("pt" | "pth") => all(PytorchStore::from_file(path).map_indices_contiguous(false))
            .map(|tensors| (Kind::PyTorch, tensors))
            .map_err(|error| damaged(format!("it cannot be read as a PyTorch file: {error}"))),
        Some("bpk") => all(BurnpackStore::from_file(path))
            .map(|tensors| (Kind::Burn, tensors))
            .map_err(|error| damaged(format!("it cannot be read as a burnpack file: {error}"))),
        _ => Err(damaged("its name ends with none of .safetensors, .pt, .pth and .bpk".into())),
    }
}

fn all<S: ModuleStore>(mut store: S) -> Result<BTreeMap<String, Stored>, S::Error> {
    store.get_all_tensors().cloned()
}

/// The first names, and how many more there are.
pub(crate) fn few(names: impl IntoIterator<Item = impl Display>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}
