//! `GET /v1/galleries/{gallery}/thumbnails/{row}`: the picture of one vector, a JPEG that clients may keep.

use super::envelope::OpenAi;
use super::{App, resource};
use crate::gallery::Gallery;
use crate::{Error, whole};
use actix_web::http::header::{CACHE_CONTROL, ETag, EntityTag, Header, IfNoneMatch};
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};

/// A gallery does not change while it is served, but its name may stand for another file after a new start. Keys may be needed, so
/// that no proxy keeps what it was given with one.
const KEEP: &str = "private, max-age=3600";

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v1/galleries/{gallery}/thumbnails/{row}", "GET").route(web::get().to(thumbnail)));
}

async fn thumbnail(
    app: Data<App>,
    request: HttpRequest,
    place: Path<(String, String)>,
) -> Result<HttpResponse, OpenAi> {
    let (name, row) = place.into_inner();
    // The file is read: not on the threads that read and write HTTP.
    let found = web::block(move || jpeg(app.galleries.find(Some(&name))?, &row)).await;
    let jpeg = found.map_err(|_| Error::Server { reason: "a thumbnail was lost on its way".into() })??;
    let digest: String = Sha256::digest(&jpeg).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = EntityTag::new_strong(digest);
    let is_known = match IfNoneMatch::parse(&request) {
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
        Ok(IfNoneMatch::Any) => true,
        Err(_) => false,
    };
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(ETag(tag)).insert_header((CACHE_CONTROL, KEEP));
    if is_known {
        return Ok(response.finish());
    }
    Ok(response.content_type("image/jpeg").body(jpeg))
}

/// The thumbnail of a row.
fn jpeg(gallery: &Gallery, row: &str) -> Result<Vec<u8>, Error> {
    let unknown =
        |reason: String| Error::UnknownThumbnail { gallery: gallery.name.clone(), row: row.to_owned(), reason };
    if !gallery.has_thumbnails() {
        return Err(unknown("it has none at all; `selfie embed --thumbnails` makes them".into()));
    }
    let place = whole::parse(row).and_then(|row| usize::try_from(row).ok()).filter(|row| *row < gallery.len());
    let place = place.ok_or_else(|| unknown(format!("its rows are 0 to {}", gallery.len() - 1)))?;
    gallery.thumbnail(place)?.ok_or_else(|| unknown("the image of this row has none".into()))
}
