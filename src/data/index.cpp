#include "data/index.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "data/stored_floats.hpp"
#include "weights/hdf5/file.hpp"

namespace wan {
namespace {

constexpr const char* format_name = "wan-index";
constexpr std::int64_t format_version = 1;

void write_draft(const std::string& draft, const Index& index, DType dtype) {
  const TextEmbedding& text = index.null_text;
  hdf5::File file = hdf5::File::create(draft);
  {
    hdf5::Group root = file.root();
    root.write_attribute("format", format_name);
    root.write_attribute("format_version", format_version);
    write_row_table(root, index.table);
    const std::int64_t count = text.rows * text.width;
    root.create_dataset("null_text", hdf5::type_of(dtype), Shape{text.rows, text.width})
        .write(0, count, to_stored(text.values.data(), count, dtype).data());
  }
  file.close();
  sync_path(draft);
}

}  // namespace

void write_index(const std::string& folder, const Index& index, DType dtype) {
  const std::string path = folder + "/index.h5";
  const std::string draft = path + ".tmp";
  try {
    write_draft(draft, index, dtype);
  } catch (const Error&) {
    std::error_code ignored;
    std::filesystem::remove(draft, ignored);
    throw;
  }
  std::filesystem::rename(draft, path);
  sync_path(folder);
}

Index read_index(const std::string& folder) {
  const std::string path = folder + "/index.h5";
  const hdf5::File file = hdf5::File::open(path);
  const hdf5::Group root = file.root();
  if (root.text_attribute("format") != format_name ||
      root.integer_attribute("format_version") != format_version) {
    throw DataError(path, cat("is no ", format_name, " of version ", format_version));
  }
  Index index;
  index.table = read_row_table(root, path);
  const hdf5::Dataset text = root.dataset("null_text");
  if (text.shape().rank() != 2)
    throw DataError(path, "null_text must have two axes, has shape " + text.shape().text());
  const StoredRun run = read_stored(text, 0, text.shape().elements());
  index.null_text = {text.shape()[0], text.shape()[1], {}};
  index.null_text.values.resize(static_cast<std::size_t>(text.shape().elements()));
  from_stored(run.bytes.data(), text.shape().elements(), run.dtype, index.null_text.values.data());
  return index;
}

}  // namespace wan
