#include "data/row_table.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "weights/hdf5/object.hpp"

namespace wan {
namespace {

constexpr std::int64_t largest_extent = std::int64_t{1} << 24;
constexpr std::int64_t largest_count = std::int64_t{1} << 40;

/// One member of every row as a column.
template <class T, class Member>
std::vector<T> column(const RowTable& table, const Member& member) {
  std::vector<T> out;
  out.reserve(table.rows.size());
  for (const Row& row : table.rows) out.push_back(static_cast<T>(member(row)));
  return out;
}

void write_shapes(hdf5::Group& rows, const RowTable& table) {
  const auto count = static_cast<std::int64_t>(table.rows.size());
  std::vector<std::int64_t> shapes;
  std::vector<std::uint64_t> hashes;
  for (const Row& row : table.rows) {
    shapes.insert(shapes.end(),
                  {row.latent.channels, row.latent.frames, row.latent.height, row.latent.width});
    hashes.insert(hashes.end(),
                  {row.latent_hash.low, row.latent_hash.high, row.text_hash.low, row.text_hash.high});
  }
  rows.create_dataset("latent_shape", hdf5::Type::i64, Shape{count, 4}).write(0, count * 4, shapes.data());
  rows.create_dataset("hash", hdf5::Type::u64, Shape{count, 4}).write(0, count * 4, hashes.data());
}

/// Refuses what no writer writes; the rest of the program may then trust the rows.
class Checker {
 public:
  Checker(std::string path, const RowTable& table) : path_(std::move(path)), table_(table) {}

  void check(const Row& row, std::size_t number) const {
    const auto in = [&](const char* column, std::int64_t value, std::int64_t low, std::int64_t high) {
      if (value >= low && value <= high) return;
      throw DataError(path_,
                      cat("row ", number, ": ", column, " is ", value, ", allowed: ", low, " to ", high));
    };
    in("frame_start", row.frame_start, 0, largest_count);
    in("frame_count", row.frame_count, 1, largest_count);
    in("height", row.height, 1, largest_extent);
    in("width", row.width, 1, largest_extent);
    in("text_rows", row.text_rows, 0, largest_extent);
    in("latent_shape", row.latent.channels, 1, 1 << 16);
    in("latent_shape", row.latent.frames, 1, largest_extent);
    in("latent_shape", row.latent.height, 1, 1 << 16);
    in("latent_shape", row.latent.width, 1, 1 << 16);
    in("latent elements", row.latent.channels * row.latent.height * row.latent.width, 1,
       largest_count / row.latent.frames);
    for (const SlabPlace* slab : {&row.latent_slab, &row.text_slab}) {
      in("file", slab->file, 0, static_cast<std::int64_t>(table_.files.size()) - 1);
      in("dataset", slab->dataset, 0, static_cast<std::int64_t>(table_.datasets.size()) - 1);
      in("offset", slab->offset, 0, largest_count);
    }
  }

  /// Files named in the table are opened: they may not lead out of the data set.
  void check_files() const {
    for (const std::string& file : table_.files) {
      bool inside = !file.empty() && file.front() != '/' && file.find('\0') == std::string::npos;
      for (const std::string& step : split(file, '/')) inside = inside && step != "..";
      if (!inside) throw DataError(path_, "a slab's file '" + file + "' lies outside of the data set");
    }
  }

 private:
  std::string path_;
  const RowTable& table_;
};

}  // namespace

void write_row_table(hdf5::Group& root, const RowTable& table) {
  hdf5::Group rows = root.create_group("rows");
  rows.write_array("id", column<std::uint64_t>(table, [](const Row& r) { return r.id; }));
  rows.write_strings("source", column<std::string>(table, [](const Row& r) { return r.source; }));
  rows.write_strings("caption", column<std::string>(table, [](const Row& r) { return r.caption; }));
  rows.write_array("split", column<std::uint8_t>(table, [](const Row& r) { return r.split; }));
  rows.write_array("frame_start", column<std::int64_t>(table, [](const Row& r) { return r.frame_start; }));
  rows.write_array("frame_count", column<std::int64_t>(table, [](const Row& r) { return r.frame_count; }));
  rows.write_array("fps", column<double>(table, [](const Row& r) { return r.fps; }));
  rows.write_array("height", column<std::int64_t>(table, [](const Row& r) { return r.height; }));
  rows.write_array("width", column<std::int64_t>(table, [](const Row& r) { return r.width; }));
  rows.write_array("text_rows", column<std::int64_t>(table, [](const Row& r) { return r.text_rows; }));
  write_shapes(rows, table);
  hdf5::Group slabs = root.create_group("slabs");
  slabs.write_strings("files", table.files);
  slabs.write_strings("datasets", table.datasets);
  slabs.write_array("latent_file",
                    column<std::int64_t>(table, [](const Row& r) { return r.latent_slab.file; }));
  slabs.write_array("latent_dataset",
                    column<std::int64_t>(table, [](const Row& r) { return r.latent_slab.dataset; }));
  slabs.write_array("latent_offset",
                    column<std::int64_t>(table, [](const Row& r) { return r.latent_slab.offset; }));
  slabs.write_array("text_file", column<std::int64_t>(table, [](const Row& r) { return r.text_slab.file; }));
  slabs.write_array("text_dataset",
                    column<std::int64_t>(table, [](const Row& r) { return r.text_slab.dataset; }));
  slabs.write_array("text_offset",
                    column<std::int64_t>(table, [](const Row& r) { return r.text_slab.offset; }));
}

RowTable read_row_table(const hdf5::Group& root, const std::string& path) {
  const hdf5::Group rows = root.group("rows");
  const hdf5::Group slabs = root.group("slabs");
  const auto ids = rows.read_array<std::uint64_t>("id");
  const auto count = static_cast<std::int64_t>(ids.size());
  const auto integers = [&](const hdf5::Group& group, const char* name) {
    return group.read_array<std::int64_t>(name, count);
  };
  const auto sources = rows.read_strings("source", count);
  const auto captions = rows.read_strings("caption", count);
  const auto splits = rows.read_array<std::uint8_t>("split", count);
  const auto starts = integers(rows, "frame_start");
  const auto counts = integers(rows, "frame_count");
  const auto rates = rows.read_array<double>("fps", count);
  const auto heights = integers(rows, "height");
  const auto widths = integers(rows, "width");
  const auto text_rows = integers(rows, "text_rows");
  std::vector<std::int64_t> shapes(ids.size() * 4);
  rows.dataset("latent_shape").expect(hdf5::Type::i64, {count, 4}).read(0, count * 4, shapes.data());
  std::vector<std::uint64_t> hashes(ids.size() * 4);
  rows.dataset("hash").expect(hdf5::Type::u64, {count, 4}).read(0, count * 4, hashes.data());
  const auto latent_file = integers(slabs, "latent_file");
  const auto latent_dataset = integers(slabs, "latent_dataset");
  const auto latent_offset = integers(slabs, "latent_offset");
  const auto text_file = integers(slabs, "text_file");
  const auto text_dataset = integers(slabs, "text_dataset");
  const auto text_offset = integers(slabs, "text_offset");

  RowTable table;
  table.files = slabs.read_strings("files");
  table.datasets = slabs.read_strings("datasets");
  const Checker checker(path, table);
  checker.check_files();
  table.rows.resize(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (splits[i] >= all_splits.size()) throw DataError(path, cat("row ", i, ": split ", int{splits[i]}));
    table.rows[i] = {ids[i],
                     sources[i],
                     captions[i],
                     static_cast<Split>(splits[i]),
                     starts[i],
                     counts[i],
                     rates[i],
                     heights[i],
                     widths[i],
                     {shapes[4 * i], shapes[4 * i + 1], shapes[4 * i + 2], shapes[4 * i + 3]},
                     text_rows[i],
                     {latent_file[i], latent_dataset[i], latent_offset[i]},
                     {text_file[i], text_dataset[i], text_offset[i]},
                     {hashes[4 * i], hashes[4 * i + 1]},
                     {hashes[4 * i + 2], hashes[4 * i + 3]}};
    checker.check(table.rows[i], i);
  }
  return table;
}

}  // namespace wan
