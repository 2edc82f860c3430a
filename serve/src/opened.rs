//! What the options name beside models: keys, certificates, hosts to fetch from. A start opens it before it takes an address, and so does
//! the plan of a start, which fails as that would.

use crate::app::Access;
use crate::fetch::Fetcher;
use crate::tls::Tls;
use crate::{Config, Error};

/// What the options name beside models, opened.
pub struct Opened {
    /// Who may ask for what.
    pub access: Access,
    /// How connections are encrypted, if they are.
    pub tls: Option<Tls>,
    /// Who fetches images by URL, if somebody may.
    pub fetcher: Option<Fetcher>,
}

impl Opened {
    /// Checks the options and opens what they name.
    ///
    /// # Errors
    /// An option is wrong, or a file that one names cannot be used.
    pub fn of(config: &Config) -> Result<Self, Error> {
        config.check()?;
        Ok(Self { access: Access::open(config)?, tls: Tls::open(config)?, fetcher: Fetcher::open(config)? })
    }
}
