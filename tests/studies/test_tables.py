import gzip

import pandas as pd
import pytest

from helpers.errors import TableInvalid
from helpers.studies import tables

FINDINGS = "variant,vulnerability_id,package,severity\na,CVE-2024-1,zlib,high\n"


@pytest.fixture
def write(tmp_path):
    def of(text, name="findings.csv"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return of


def test_csv_gzipped_csv_and_parquet_give_the_same_frames(write, tmp_path):
    pytest.importorskip("pyarrow")
    parquet = tmp_path / "facts.parquet"
    pd.read_csv(write(FINDINGS)).to_parquet(parquet)
    one, *others = (
        tables.load_tables(path) for path in (write(FINDINGS), write(FINDINGS, "f.csv.gz"), parquet)
    )
    assert one.findings["severity"].tolist() == ["HIGH"]
    assert one.images[["variant", "status"]].to_numpy().tolist() == [["a", "no-os"]]
    for other in others:
        pd.testing.assert_frame_equal(other.findings, one.findings)


def test_own_column_names_are_renamed_and_what_a_report_derives_is_there(write):
    text = "image,id,aliases,package,severity,package_class,published_at\n"
    text += "a,GHSA-1,CVE-2024-1,p,LOW,lang-pkgs,0001-01-01T00:00:00Z\n"
    images = write("image,os_family\na,debian\nclean,alpine\n", "images.csv")
    names = {"image": "variant", "id": "vulnerability_id"}
    found = tables.load_tables(write(text), images, columns=names)
    row = found.findings.iloc[0]
    assert (row["vulnerability"], row["place"], row["suppressed"]) == ("CVE-2024-1", "app", False)
    # No such day has been: it is not known.
    assert pd.isna(row["published_at"])
    assert found.images["status"].tolist() == ["scanned", "scanned"]


@pytest.mark.parametrize(
    ("findings", "told"),
    [
        (FINDINGS.replace("high", "hgh"), "'severity' is 'hgh' in a row of 'a'"),
        ("variant,package\na,b\n", "no column 'vulnerability_id'"),
        (FINDINGS + ",CVE-1,p,LOW\n", "'variant' is empty in row 2"),
        (FINDINGS + "b,CVE-1,p,LOW\n", "'b' is not in the table of images"),
        ("", "cannot be read as a table"),
        ("a\0b\n\xff", "no column"),
    ],
)
def test_an_error_names_the_file_the_value_and_the_image(write, findings, told):
    images = write("variant\na\n", "images.csv")
    with pytest.raises(TableInvalid, match=told) as caught:
        tables.load_tables(write(findings), images)
    assert "findings.csv" in str(caught.value)


def test_two_rows_of_one_image_are_refused(write):
    with pytest.raises(TableInvalid, match="'a' has two rows"):
        tables.load_tables(write(FINDINGS), write("variant\na\na\n", "images.csv"))


def test_a_damaged_file_is_refused_by_name(write, tmp_path):
    for name in ("f.parquet", "f.csv.gz"):
        path = tmp_path / name
        path.write_bytes(b"no such format")
        with pytest.raises(TableInvalid, match=name):
            tables.load_tables(path)
