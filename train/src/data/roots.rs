//! The folders in which a named data set is searched.

use super::DataError;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Folders that hold data sets, each in a folder of its name.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    /// The user's own: `SELFIE_DATA`.
    pub data: Option<PathBuf>,
    /// What `fetch` fills: `SELFIE_CACHE`, else `XDG_CACHE_HOME/selfie`, else `HOME/.cache/selfie`.
    pub cache: Option<PathBuf>,
    /// What Debian's packages of data sets fill.
    pub system: Option<PathBuf>,
}

impl Roots {
    /// The folders that the environment of this process names.
    pub fn from_environment() -> Self {
        Self::from_variables(|name| env::var_os(name))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        // The XDG base directory specification says to ignore relative paths.
        let xdg = path("XDG_CACHE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("selfie"));
        let home = || path("HOME").map(|path| path.join(".cache").join("selfie"));
        Self {
            data: path("SELFIE_DATA"),
            cache: path("SELFIE_CACHE").or(xdg).or_else(home),
            system: Some(PathBuf::from("/usr/share/datasets")),
        }
    }

    /// Where a data set may lie, the user's own folder first.
    pub fn candidates(&self, name: &str) -> Vec<PathBuf> {
        [&self.data, &self.cache, &self.system].into_iter().flatten().map(|root| root.join(name)).collect()
    }

    /// The folder of files that are gone when the process ends.
    pub fn spill(&self) -> PathBuf {
        self.cache.clone().unwrap_or_else(env::temp_dir)
    }

    /// The cache folder.
    pub fn cache(&self) -> Result<PathBuf, DataError> {
        self.cache.clone().ok_or(DataError::NoCache)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_follows_the_environment() {
        type Variables = &'static [(&'static str, &'static str)];
        let cases: [(Variables, Option<&str>); 6] = [
            (&[("SELFIE_CACHE", "/a"), ("XDG_CACHE_HOME", "/b"), ("HOME", "/c")], Some("/a")),
            (&[("SELFIE_CACHE", ""), ("XDG_CACHE_HOME", "/b"), ("HOME", "/c")], Some("/b/selfie")),
            (&[("XDG_CACHE_HOME", "relative"), ("HOME", "/c")], Some("/c/.cache/selfie")),
            (&[("HOME", "/c")], Some("/c/.cache/selfie")),
            (&[("HOME", "")], None),
            (&[], None),
        ];
        for (variables, expected) in cases {
            let roots = Roots::from_variables(|name| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
            });
            assert_eq!(roots.cache().ok(), expected.map(PathBuf::from), "{variables:?}");
        }
    }

    #[test]
    fn the_own_folder_comes_first() {
        let roots = Roots { data: Some("/own".into()), cache: Some("/cache".into()), system: Some("/usr".into()) };
        assert_eq!(roots.candidates("x"), ["/own/x", "/cache/x", "/usr/x"].map(PathBuf::from));
    }
}
