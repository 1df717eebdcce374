//! Paging and sorting of every list. Spec: messaging API, 1.1.

use budstikke_store::{PageOf, PageRequest};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ApiResult, kind};
use super::params::Params;

/// Rows of a page when nothing is asked for.
pub(super) const DEFAULT_SIZE: u64 = 10;
/// Most rows of a page.
pub(super) const MAX_SIZE: u64 = 2000;
/// Most properties that one list is sorted by.
const MAX_SORT: usize = 20;

/// What a list can be sorted by: the name in the API and the column of the store.
pub(super) type Sortable = &'static [(&'static str, &'static str)];

/// Reads `page`, `size` and `sort`. Numbers that make no sense fall back to their defaults; a property that is not
/// sortable is an error.
pub(super) fn asked_for(params: &Params, sortable: Sortable) -> ApiResult<PageRequest> {
    let number = |name| params.first(name).and_then(|text| text.trim().parse::<u64>().ok());
    let mut sort = Vec::new();
    for value in params.all("sort") {
        let mut properties: Vec<&str> = value
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect();
        let descending = match properties.last() {
            Some(last) if last.eq_ignore_ascii_case("desc") => properties.pop().is_some(),
            Some(last) if last.eq_ignore_ascii_case("asc") => properties.pop().is_none(),
            _ => false,
        };
        for property in properties {
            let column = sortable
                .iter()
                .find(|(name, _)| *name == property)
                .map(|(_, column)| *column);
            sort.push((column.ok_or_else(|| not_sortable(property, sortable))?, descending));
        }
    }
    if sort.len() > MAX_SORT {
        return Err(ApiError::new(
            kind::UNKNOWN_SORT,
            format!("At most {MAX_SORT} sort properties are taken."),
        ));
    }
    Ok(PageRequest {
        page: number("page").unwrap_or(0),
        size: number("size")
            .filter(|size| *size > 0)
            .unwrap_or(DEFAULT_SIZE)
            .min(MAX_SIZE),
        sort,
    })
}

fn not_sortable(property: &str, sortable: Sortable) -> ApiError {
    let property: String = property.chars().take(64).collect();
    let names: Vec<&str> = sortable.iter().map(|(name, _)| *name).collect();
    let text = format!(
        "The list cannot be sorted by {property}; it can by {}.",
        names.join(", ")
    );
    ApiError::new(kind::UNKNOWN_SORT, text)
}

/// Whether the list is in an order.
#[derive(Serialize, Clone, Copy, ToSchema)]
struct Sort {
    sorted: bool,
    unsorted: bool,
    empty: bool,
}

/// What was asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Pageable {
    page_number: u64,
    page_size: u64,
    offset: u64,
    paged: bool,
    unpaged: bool,
    sort: Sort,
}

/// A page of a list.
#[derive(Serialize)]
pub(super) struct Page<T> {
    content: Vec<T>,
    #[serde(flatten)]
    envelope: Envelope,
}

/// What stands around the rows of a page.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PageEnvelope)]
pub(super) struct Envelope {
    pageable: Pageable,
    last: bool,
    first: bool,
    total_pages: u64,
    total_elements: u64,
    size: u64,
    number: u64,
    number_of_elements: usize,
    empty: bool,
    sort: Sort,
}

impl Envelope {
    /// Of a page of a list of `total` rows, so far without rows. `sorted`: the list has an order of its own when none is asked
    /// for.
    pub(super) fn new(total: u64, asked: &PageRequest, sorted: bool) -> Self {
        let sorted = sorted || !asked.sort.is_empty();
        let sort = Sort {
            sorted,
            unsorted: !sorted,
            empty: !sorted,
        };
        let total_pages = total.div_ceil(asked.size.max(1));
        Self {
            pageable: Pageable {
                page_number: asked.page,
                page_size: asked.size,
                offset: asked.page.saturating_mul(asked.size),
                paged: true,
                unpaged: false,
                sort,
            },
            last: asked.page.saturating_add(1) >= total_pages,
            first: asked.page == 0,
            total_pages,
            total_elements: total,
            size: asked.size,
            number: asked.page,
            number_of_elements: 0,
            empty: true,
            sort,
        }
    }

    /// With this many rows.
    pub(super) fn counting(self, rows: usize) -> Self {
        Self {
            number_of_elements: rows,
            empty: rows == 0,
            ..self
        }
    }
}

/// Puts a page into its envelope. `sorted`: the list has an order of its own when none is asked for.
pub(super) fn enveloped<R, T>(found: PageOf<R>, asked: &PageRequest, sorted: bool, write: impl Fn(R) -> T) -> Page<T> {
    let envelope = Envelope::new(found.total, asked, sorted);
    let content: Vec<T> = found.items.into_iter().map(write).collect();
    Page {
        envelope: envelope.counting(content.len()),
        content,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SORTABLE: Sortable = &[("id", "id"), ("lastUpdate", "last_update")];

    fn read(query: &str) -> PageRequest {
        asked_for(&Params::parse(query), SORTABLE).unwrap()
    }

    #[test]
    fn numbers_that_make_no_sense_fall_back_and_the_size_is_capped() {
        for (query, page, size) in [
            ("", 0, 10),
            ("page=3&size=5", 3, 5),
            ("page=-1&size=0", 0, 10),
            ("page=x&size=y", 0, 10),
            ("size=2001", 0, 2000),
            ("size=99999999999999999999", 0, 10),
        ] {
            let asked = read(query);
            assert_eq!((asked.page, asked.size), (page, size), "{query}");
        }
    }

    #[test]
    fn sort_takes_several_properties_and_a_direction_for_all_of_them() {
        assert_eq!(
            read("sort=lastUpdate,id,desc&sort=id").sort,
            [("last_update", true), ("id", true), ("id", false)]
        );
        assert_eq!(read("sort=id,asc").sort, [("id", false)]);
        assert_eq!(read("sort=&sort=,").sort, []);
    }

    #[test]
    fn an_unknown_sort_property_is_a_clients_error() {
        let error = asked_for(&Params::parse("sort=lastUpdated,desc"), SORTABLE).unwrap_err();
        assert_eq!(error.status(), 400);
        let error = asked_for(&Params::parse("sort=id;DROP TABLE x"), SORTABLE).unwrap_err();
        assert_eq!(error.status(), 400);
    }

    #[test]
    fn an_empty_sorted_list_has_the_whole_envelope() {
        let page = enveloped(
            PageOf {
                items: Vec::<u8>::new(),
                total: 0,
            },
            &read(""),
            true,
            |item| item,
        );
        assert_eq!(
            serde_json::to_string(&page).unwrap(),
            r#"{"content":[],"pageable":{"pageNumber":0,"pageSize":10,"offset":0,"paged":true,"unpaged":false,"sort":{"sorted":true,"unsorted":false,"empty":false}},"last":true,"first":true,"totalPages":0,"totalElements":0,"size":10,"number":0,"numberOfElements":0,"empty":true,"sort":{"sorted":true,"unsorted":false,"empty":false}}"#
        );
    }

    #[test]
    fn the_last_page_knows_that_it_is_the_last() {
        let page = |query: &str| {
            let page = enveloped(
                PageOf {
                    items: vec![1],
                    total: 21,
                },
                &read(query),
                false,
                |item| item,
            );
            serde_json::to_value(page).unwrap()
        };
        assert_eq!(page("page=1")["last"], false);
        assert_eq!(page("page=2")["last"], true);
        assert_eq!(page("page=2")["totalPages"], 3);
        assert_eq!(page("page=2")["pageable"]["offset"], 20);
        assert_eq!(page("page=9")["last"], true);
        assert_eq!(
            page("")["sort"],
            json!({"sorted": false, "unsorted": true, "empty": true})
        );
    }
}
