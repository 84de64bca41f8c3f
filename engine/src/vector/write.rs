//! Writes the files that [`super::file`] reads: flat from stored vectors, and again with a graph.

use std::fs;
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::path::Path;

use super::file::{HEADER, MAGIC, Sections, Shape, VERSION, VectorFile};

/// Hands every stored vector of a segment to the function it is given, with the number of its document,
/// increasing.
pub(crate) type Source<'a> =
    &'a dyn Fn(&mut dyn FnMut(u32, &[u8]) -> Result<(), crate::Error>) -> Result<(), crate::Error>;

/// Writes the flat file of a segment to `path`, at once or not at all.
///
/// # Errors
/// Those of `vectors`; [`crate::Error::Store`] for a vector that is not of `shape`; [`crate::Error::Io`].
pub(crate) fn write_flat(
    path: &Path,
    shape: Shape,
    vectors: Source<'_>,
) -> Result<(), crate::Error> {
    replace(path, |file| flat(file, shape, vectors))
}

/// The image of the flat file, for folders that cannot be written.
///
/// # Errors
/// As [`write_flat`].
pub(crate) fn flat_image(shape: Shape, vectors: Source<'_>) -> Result<Vec<u8>, crate::Error> {
    let mut image = Cursor::new(Vec::new());
    flat(&mut image, shape, vectors)?;
    Ok(image.into_inner())
}

/// Writes `flat` with a graph to `path`, at once or not at all.
///
/// # Errors
/// [`crate::Error::Io`].
pub(crate) fn write_with_graph(
    path: &Path,
    flat: &VectorFile,
    graph: &[u8],
) -> Result<(), crate::Error> {
    let sections = Sections::of(flat.shape(), flat.rows(), graph.len());
    replace(path, |file| {
        let mut body = Body::start(file)?;
        body.write(flat.flat_body())?;
        body.pad()?;
        body.write(graph)?;
        body.finish(flat.shape(), flat.rows(), &sections)?;
        Ok(())
    })
}

/// Runs `write` on a temporary file beside `path` and renames it into place.
fn replace(
    path: &Path,
    write: impl FnOnce(&mut io::BufWriter<fs::File>) -> Result<(), crate::Error>,
) -> Result<(), crate::Error> {
    let io_error = |source| crate::Error::Io { path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = tempfile::Builder::new()
        .prefix("new-")
        .suffix(".tmp")
        .tempfile_in(folder)
        .map_err(io_error)?;
    let mut file = io::BufWriter::new(temporary.as_file().try_clone().map_err(io_error)?);
    write(&mut file).map_err(|e| match e {
        crate::Error::Io { source, .. } => io_error(source),
        other => other,
    })?;
    file.flush().map_err(io_error)?;
    temporary.persist(path).map_err(|e| io_error(e.error))?;
    Ok(())
}

fn flat<W: Write + Seek>(
    file: &mut W,
    shape: Shape,
    vectors: Source<'_>,
) -> Result<(), crate::Error> {
    let mut body = Body::start(file)?;
    let (mut scales, mut documents) = (Vec::new(), Vec::new());
    vectors(&mut |document, stored| {
        let (scale, row) =
            shape.format.split(stored, shape.dimensions).map_err(|reason| crate::Error::Store {
                doing: "reading stored vectors",
                reason: format!("found {reason}"),
            })?;
        scales.extend(scale.to_le_bytes());
        documents.extend(document.to_le_bytes());
        body.write(row)
    })?;
    body.pad()?;
    body.write(&scales)?;
    body.pad()?;
    body.write(&documents)?;
    let rows = documents.len() / 4;
    body.finish(shape, rows, &Sections::of(shape, rows, 0))?;
    Ok(())
}

/// A file whose header is written last.
struct Body<'a, W: Write + Seek> {
    file: &'a mut W,
    crc: crc32fast::Hasher,
    len: usize,
}

impl<'a, W: Write + Seek> Body<'a, W> {
    fn start(file: &'a mut W) -> Result<Self, crate::Error> {
        file.write_all(&[0; HEADER]).map_err(unnamed)?;
        Ok(Self { file, crc: crc32fast::Hasher::new(), len: HEADER })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), crate::Error> {
        self.crc.update(bytes);
        self.len += bytes.len();
        self.file.write_all(bytes).map_err(unnamed)
    }

    fn pad(&mut self) -> Result<(), crate::Error> {
        let zeros = self.len.next_multiple_of(64) - self.len;
        self.write(&[0; 64][..zeros])
    }

    fn finish(self, shape: Shape, rows: usize, sections: &Sections) -> Result<(), crate::Error> {
        assert_eq!(self.len, sections.file_len(), "sections are written as they are laid out");
        let mut header = Vec::with_capacity(HEADER);
        header.extend(MAGIC);
        header.extend(VERSION.to_le_bytes());
        header.extend(u32::from(shape.format.tag()).to_le_bytes());
        header.extend((shape.dimensions as u32).to_le_bytes());
        header.extend((rows as u32).to_le_bytes());
        header.extend((sections.graph.len() as u64).to_le_bytes());
        header.extend((self.len as u64).to_le_bytes());
        header.extend(self.crc.finalize().to_le_bytes());
        header.extend(crc32fast::hash(&header).to_le_bytes());
        self.file.seek(SeekFrom::Start(0)).map_err(unnamed)?;
        self.file.write_all(&header).map_err(unnamed)
    }
}

/// An I/O error whose file [`replace`] names.
fn unnamed(source: io::Error) -> crate::Error {
    crate::Error::Io { path: std::path::PathBuf::new(), source }
}
