use super::*;
use crate::api::tests::keys;
use crate::data::OverrideDecision;

fn faults(text: &str, format: Format) -> Vec<String> {
    let faults = read(text, format, &Snapshot::default()).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_table_of_processes_is_read() {
    let text = "identifier,category,service-code,document-types\n\
                p:a,ARKIVMELDING,1234,t::1 t::2\n\
                p:b, AVTALT ,,\n";
    let import = read(text, Format::Csv, &Snapshot::default()).unwrap();
    let [a, b] = &import.processes[..] else { panic!() };
    assert_eq!(a.service_code.as_deref(), Some("1234"));
    assert_eq!(a.document_types.len(), 2);
    assert_eq!((b.category.as_str(), &b.service_code), ("AVTALT", &None));
}

#[test]
fn a_table_of_a_norwegian_spreadsheet_is_read() {
    let pem = keys::identity().certificate().to_pem();
    let text = format!(
        "\u{feff}Number;Name;Address;Postal-Code;Registrations;certificate:ABC\n\
         910076787;\"Prøve; kommune\";\"Postboks 1; Sentrum\";0101;p:a p:b;\"{pem}\"\n"
    );
    let import = read(&text, Format::Csv, &Snapshot::default()).unwrap();
    let (number, organisation) = &import.organisations[0];
    assert_eq!(number.as_str(), "910076787");
    assert_eq!(organisation.name.as_deref(), Some("Prøve; kommune"));
    let address = organisation.address.as_ref().unwrap();
    assert_eq!(address.lines, ["Postboks 1", "Sentrum"]);
    assert_eq!(address.postal_code.as_deref(), Some("0101"));
    assert_eq!(organisation.registrations.as_ref().unwrap().len(), 2);
    assert_eq!(&organisation.certificates["ABC"], keys::identity().certificate());
}

#[test]
fn columns_that_a_table_lacks_stay_as_they_are() {
    let toml = "[[organisations]]\nnumber = '910076787'\nname = 'Old'\nform = 'KOMM'\n\
                overrides = [{ closed = true, reason = 'wound up' }]\n";
    let before = read(toml, Format::Toml, &Snapshot::default()).unwrap();
    let current = Snapshot {
        organisations: before.organisations.into_iter().collect(),
        ..Snapshot::default()
    };
    let import = read("number,name\n910076787,New\n", Format::Csv, &current).unwrap();
    let (_, organisation) = &import.organisations[0];
    assert_eq!(organisation.name.as_deref(), Some("New"));
    assert_eq!(organisation.form.as_deref(), Some("KOMM"));
    assert_eq!(organisation.overrides[0].decision, OverrideDecision::Closed);
}

#[test]
fn everything_that_is_wrong_with_a_table_is_told_by_line_and_column() {
    let text = "number,name,registrations,certificate:ABC\n\
                12,A,,\n\
                910076787,B,,nonsense!\n\
                910076787,C,,\n\
                991825827,\"two\nlines\",,\n\
                974720760,D\n";
    assert_eq!(
        faults(text, Format::Csv),
        [
            "line 2: number: must be nine digits",
            "line 3: certificate:ABC: is neither PEM nor base64",
            "line 4: number: stands in this file already",
            "line 5: name: holds a control character",
            "line 7: has 2 cells, the first line has 4",
        ]
    );
}

#[test]
fn of_many_faults_a_hundred_are_told_and_the_rest_is_counted() {
    let table = format!("number,name\n{}", "12,A\n".repeat(250_000));
    // The second one stands in the file already.
    let told = faults(&table, Format::Csv);
    assert_eq!(told.len(), 101);
    assert_eq!(told[99], "line 101: number: stands in this file already");
    assert_eq!(told[100], "and 249900 more faults");
    let toml = "[[organisations]]\nnumber = '12'\n".repeat(20_000);
    let begin = std::time::Instant::now();
    let told = faults(&toml, Format::Toml);
    assert_eq!(told[99], "line 199: organisations[99].number: must be nine digits");
    assert_eq!(told[100], "and 19900 more faults");
    // Looking for each line from the beginning of the file takes minutes.
    assert!(begin.elapsed().as_secs() < 30, "{:?}", begin.elapsed());
}

#[test]
fn what_is_wrong_is_told_without_the_value() {
    for (text, told) in [
        (
            "organisations = 'hush'",
            "line 1: organisations: invalid type: string, expected a sequence",
        ),
        (
            "[[organisations]]\nnumber = 5839012391",
            "line 2: organisations.number: invalid type: integer, expected a string",
        ),
    ] {
        assert_eq!(faults(text, Format::Toml), [told]);
    }
}

#[test]
fn an_empty_cell_of_registrations_leaves_the_question_to_the_outside_register() {
    let toml = "[[organisations]]\nnumber = '910076787'\nregistrations = ['p:a']\n";
    let before = read(toml, Format::Toml, &Snapshot::default()).unwrap();
    let current = Snapshot {
        organisations: before.organisations.into_iter().collect(),
        ..Snapshot::default()
    };
    let import = read("number,registrations\n910076787,\n", Format::Csv, &current).unwrap();
    assert_eq!(import.organisations[0].1.registrations, None);
}

#[test]
fn a_table_of_nothing_or_of_strange_columns_is_refused() {
    for nothing in ["", "a,b\n1,2\n", "number,identifier\n1,2\n"] {
        assert!(
            faults(nothing, Format::Csv)[0].starts_with("line 1: the first line must name"),
            "{nothing}"
        );
    }
    let strange = faults("identifier,colour,colour\np:a,red,red\n", Format::Csv);
    assert!(strange[0].starts_with("line 1: colour: is no column"));
    assert!(strange.contains(&"line 1: colour: is there twice".to_owned()));
    assert!(strange.contains(&"line 1: category: this column is missing".to_owned()));
}

#[test]
fn a_file_of_toml_is_read_whole() {
    let pem = keys::identity().certificate().to_pem();
    let text = format!(
        "document-types = ['t::0']\n\
         [[processes]]\nidentifier = 'p:a'\ncategory = 'ARKIVMELDING'\nresource = 'r'\ndocument-types = ['t::1']\n\
         [[organisations]]\nnumber = '910076787'\nname = 'EKSEMPELETATEN'\nregistrations = []\n\
         address = {{ lines = ['Postboks 1'], postal-code = '0101' }}\n\
         certificates = {{ ABC = '''{pem}''' }}\n\
         overrides = [{{ process = 'p:a', only = 'XYZ', reason = 'agreed' }}, {{ never = 'ABC', reason = 'moving' }}]\n"
    );
    let import = read(&text, Format::Toml, &Snapshot::default()).unwrap();
    assert_eq!(import.document_types[0].as_str(), "t::0");
    assert_eq!(import.processes[0].resource.as_deref(), Some("r"));
    let (number, organisation) = &import.organisations[0];
    assert_eq!(organisation.registrations, Some(std::collections::BTreeSet::new()));
    assert_eq!(organisation.overrides.len(), 2);
    // What JSON shows is what TOML reads.
    let again = OrganisationDocument::of(number, organisation).read().unwrap();
    assert_eq!(again.1.overrides, organisation.overrides);
    assert_eq!(again.1.certificates, organisation.certificates);
}

#[test]
fn everything_that_is_wrong_with_toml_is_told_by_line_and_key() {
    let text = "[[processes]]\nidentifier = 'p a'\ncategory = 'arkivmelding'\n\
                \n[[organisations]]\nnumber = '910076787'\noverrides = [{ only = 'A', closed = true, reason = 'x' }]\n\
                \n[[organisations]]\nnumber = '910076787'\ncertificates = { X = 'nonsense!' }\n\
                \n[[organisations]]\nnumber = '991825827'\noverrides = [{ closed = true }]\n";
    assert_eq!(
        faults(text, Format::Toml),
        [
            "line 1: processes[0].identifier: the process holds a character that is not allowed",
            "line 1: processes[0].category: must be a name in capital letters, such as ARKIVMELDING",
            "line 5: organisations[0].overrides[0].only: needs exactly one of only, never and closed = true",
            "line 9: organisations[1].certificates.X: is neither PEM nor base64",
            "line 13: organisations[2].overrides[0].reason: must say why: answers repeat it",
        ]
    );
    assert!(faults("[[organisations]]\nnumber = 1\n", Format::Toml)[0].starts_with("line 2: "));
    assert!(
        faults("[[organisations]]\ncolour = 'red'\n", Format::Toml)[0]
            .starts_with("line 2: organisations.colour: unknown field")
    );
    let twice = "[[organisations]]\nnumber = '910076787'\n[[organisations]]\nnumber = '910076787'\n";
    assert_eq!(
        faults(twice, Format::Toml),
        ["line 3: organisations[1].number: stands in this file already"]
    );
}
