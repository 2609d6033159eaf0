#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace wan::test {

inline void append(std::string& to, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) to.push_back(static_cast<char>(i < 8 ? value >> (8 * i) : 0));
}

/// How zip_of writes: numbers in zip64 structures (as for files above 4 GiB), or entries that claim a method.
struct ZipStyle {
  bool zip64 = false;
  int method = 0;
};

/// A zip file of uncompressed entries.
inline std::string zip_of(const std::vector<std::pair<std::string, std::string>>& entries,
                          ZipStyle style = {}) {
  std::string out;
  std::string directory;
  for (const auto& [name, content] : entries) {
    const std::uint64_t at = out.size();
    std::string extra;
    if (style.zip64) {
      append(extra, 1, 2);
      append(extra, 24, 2);
      for (const std::uint64_t number : {std::uint64_t{content.size()}, std::uint64_t{content.size()}, at})
        append(extra, number, 8);
    }
    const std::uint64_t shown = style.zip64 ? 0xffffffff : content.size();
    append(out, 0x04034b50, 4);
    append(out, 0, 4);
    append(out, static_cast<std::uint64_t>(style.method), 2);
    append(out, 0, 8);
    append(out, shown, 4);
    append(out, shown, 4);
    append(out, name.size(), 2);
    append(out, 5, 2);
    out += name + "extra" + content;

    append(directory, 0x02014b50, 4);
    append(directory, 0, 6);
    append(directory, static_cast<std::uint64_t>(style.method), 2);
    append(directory, 0, 8);
    append(directory, shown, 4);
    append(directory, shown, 4);
    append(directory, name.size(), 2);
    append(directory, extra.size(), 2);
    append(directory, 0, 2 + 2 + 2 + 4);
    append(directory, style.zip64 ? 0xffffffff : at, 4);
    directory += name + extra;
  }
  const std::uint64_t directory_at = out.size();
  out += directory;
  if (style.zip64) {
    const std::uint64_t end64_at = out.size();
    append(out, 0x06064b50, 4);
    append(out, 44, 8);
    append(out, 0, 12);
    append(out, entries.size(), 8);
    append(out, entries.size(), 8);
    append(out, directory.size(), 8);
    append(out, directory_at, 8);
    append(out, 0x07064b50, 4);
    append(out, 0, 4);
    append(out, end64_at, 8);
    append(out, 1, 4);
  }
  append(out, 0x06054b50, 4);
  append(out, 0, 4);
  append(out, style.zip64 ? 0xffff : entries.size(), 2);
  append(out, style.zip64 ? 0xffff : entries.size(), 2);
  append(out, style.zip64 ? 0xffffffff : directory.size(), 4);
  append(out, style.zip64 ? 0xffffffff : directory_at, 4);
  append(out, 0, 2);
  return out;
}

/// Pieces of a pickle.
inline std::string pickled_text(const std::string& text) {
  std::string out = "X";
  append(out, text.size(), 4);
  return out + text;
}
inline std::string pickled_integer(std::int64_t value) {
  std::string out;
  if (value >= 0 && value < 256) {
    out = "K";
    append(out, static_cast<std::uint64_t>(value), 1);
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    out = "J";
    append(out, static_cast<std::uint64_t>(value), 4);
  } else {
    out = "\x8a\x08";
    append(out, static_cast<std::uint64_t>(value), 8);
  }
  return out;
}
inline std::string pickled_tuple(const std::vector<std::int64_t>& values) {
  std::string out = "(";
  for (const std::int64_t value : values) out += pickled_integer(value);
  return out + "t";
}

/// A view of a storage as torch.save pickles it.
struct ViewToPickle {
  std::string name;
  std::string storage_type = "FloatStorage";
  std::string key;
  std::int64_t storage_elements = 0;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

inline std::string pickled_view(const ViewToPickle& view) {
  return pickled_text(view.name) + "ctorch._utils\n_rebuild_tensor_v2\n((" + pickled_text("storage") +
         "ctorch\n" + view.storage_type + "\n" + pickled_text(view.key) + pickled_text("cpu") +
         pickled_integer(view.storage_elements) + "tQ" + pickled_integer(view.offset) +
         pickled_tuple(view.shape) + pickled_tuple(view.strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
}

/// An OrderedDict of the views with a _metadata attribute, as of torch.save(model.state_dict()).
inline std::string pickled_state_dict(const std::vector<ViewToPickle>& views) {
  std::string out = std::string("\x80\x02") + "ccollections\nOrderedDict\n)Rq\x01(";
  for (const ViewToPickle& view : views) out += pickled_view(view);
  return out + "u}" + pickled_text("_metadata") + "}" + pickled_text("") + "}" + pickled_text("version") +
         "K\x01" + "sssb.";
}

}  // namespace wan::test
