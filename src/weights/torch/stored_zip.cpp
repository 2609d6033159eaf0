#include "weights/torch/stored_zip.hpp"

#include <algorithm>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

// Sizes without their variable parts, and signatures, of the structures (APPNOTE 4.3).
constexpr std::int64_t end_bytes = 22;
constexpr std::int64_t end64_locator_bytes = 20;
constexpr std::int64_t end64_bytes = 56;
constexpr std::int64_t entry_bytes = 46;
constexpr std::int64_t local_bytes = 30;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t end64_locator_signature = 0x07064b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t entry_signature = 0x02014b50;
constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::int64_t most_comment_bytes = 0xffff;
/// A state dict has a few entries and one for each tensor, some 70 bytes each.
constexpr std::int64_t most_directory_bytes = std::int64_t{64} << 20;
/// What a field of 32 or 16 bits holds if the number stands in a zip64 structure instead.
constexpr std::uint64_t elsewhere_32 = 0xffffffff;
constexpr std::uint64_t elsewhere_16 = 0xffff;

/// A piece of the file in memory, `begin` being the place of its first byte.
class Piece {
 public:
  Piece(const InputFile& file, std::int64_t begin, std::int64_t bytes, const char* what)
      : path_(file.path()), begin_(begin) {
    if (begin < 0 || bytes < 0 || begin > file.bytes() - bytes) {
      throw DataError(path_, cat("its ", what, " of ", bytes, " bytes at byte ", begin,
                                 " lies outside the file of ", file.bytes()));
    }
    bytes_.resize(static_cast<std::size_t>(bytes));
    file.read(begin, bytes_.data(), bytes);
  }

  [[nodiscard]] std::int64_t bytes() const { return static_cast<std::int64_t>(bytes_.size()); }
  /// Little-endian.
  [[nodiscard]] std::uint64_t number(std::int64_t at, int width) const {
    require(at, width);
    std::uint64_t out = 0;
    for (int i = width - 1; i >= 0; --i) {
      out = (out << 8) | static_cast<unsigned char>(bytes_[static_cast<std::size_t>(at + i)]);
    }
    return out;
  }
  [[nodiscard]] std::string text(std::int64_t at, std::int64_t length) const {
    require(at, length);
    return bytes_.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(length));
  }
  [[noreturn]] void refuse(std::int64_t at, const std::string& message) const {
    throw DataError(path_, cat("zip byte ", begin_ + at, ": ", message));
  }

 private:
  void require(std::int64_t at, std::int64_t length) const {
    if (at < 0 || length < 0 || at > bytes() - length) refuse(at, "the directory is cut short");
  }

  std::string path_;
  std::int64_t begin_;
  std::string bytes_;
};

struct Directory {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

std::int64_t as_place(const Piece& piece, std::int64_t at, std::uint64_t value) {
  if (value > static_cast<std::uint64_t>(INT64_MAX))
    piece.refuse(at, cat("the number ", value, " is no place"));
  return static_cast<std::int64_t>(value);
}

Directory find_directory(const InputFile& file) {
  const std::int64_t tail_bytes = std::min(file.bytes(), end_bytes + most_comment_bytes);
  const Piece tail(file, file.bytes() - tail_bytes, tail_bytes, "end");
  for (std::int64_t at = tail_bytes - end_bytes; at >= 0; --at) {
    if (tail.number(at, 4) != end_signature) continue;
    Directory out{as_place(tail, at, tail.number(at + 16, 4)), as_place(tail, at, tail.number(at + 12, 4))};
    const bool zip64 = tail.number(at + 16, 4) == elsewhere_32 || tail.number(at + 12, 4) == elsewhere_32 ||
                       tail.number(at + 10, 2) == elsewhere_16;
    if (!zip64) return out;
    const std::int64_t end_at = file.bytes() - tail_bytes + at;
    const Piece locator(file, end_at - end64_locator_bytes, end64_locator_bytes, "zip64 locator");
    if (locator.number(0, 4) != end64_locator_signature) locator.refuse(0, "no zip64 locator is there");
    const Piece end64(file, as_place(locator, 8, locator.number(8, 8)), end64_bytes, "zip64 end");
    if (end64.number(0, 4) != end64_signature) end64.refuse(0, "no zip64 end is there");
    out.offset = as_place(end64, 48, end64.number(48, 8));
    out.bytes = as_place(end64, 40, end64.number(40, 8));
    return out;
  }
  throw DataError(
      file.path(),
      "is no zip file, or is cut short: torch.save writes zip files since PyTorch 1.6; older ones are "
      "loaded and saved again with torch");
}

/// The sizes and place of an entry, from its zip64 field where the plain one points there.
struct EntryNumbers {
  std::uint64_t packed, plain, local;
};

void read_zip64_field(const Piece& directory, std::int64_t at, std::int64_t end, EntryNumbers& numbers) {
  while (at + 4 <= end) {
    const auto bytes = static_cast<std::int64_t>(directory.number(at + 2, 2));
    if (directory.number(at, 2) == 1) {
      std::int64_t next = at + 4;
      // In this order, each only where its plain field points here.
      for (std::uint64_t* number : {&numbers.plain, &numbers.packed, &numbers.local}) {
        if (*number != elsewhere_32) continue;
        if (next + 8 > at + 4 + bytes || next + 8 > end) directory.refuse(at, "its zip64 field is cut short");
        *number = directory.number(next, 8);
        next += 8;
      }
      return;
    }
    at += 4 + bytes;
  }
}

ZipEntry locate(const InputFile& file, const Piece& directory, std::int64_t at, const std::string& name,
                const EntryNumbers& numbers) {
  const std::int64_t local_at = as_place(directory, at, numbers.local);
  const Piece local(file, local_at, local_bytes, "entry");
  if (local.number(0, 4) != local_signature) local.refuse(0, cat("no entry '", name, "' is there"));
  const std::int64_t skipped =
      local_bytes + static_cast<std::int64_t>(local.number(26, 2) + local.number(28, 2));
  const ZipEntry out{local_at + skipped, as_place(directory, at, numbers.plain)};
  if (out.offset > file.bytes() || out.bytes > file.bytes() - out.offset) {
    directory.refuse(at, cat("entry '", name, "' has ", out.bytes, " bytes from byte ", out.offset,
                             " on, the file ends at ", file.bytes()));
  }
  return out;
}

}  // namespace

std::map<std::string, ZipEntry> read_stored_zip(const InputFile& file) {
  const Directory place = find_directory(file);
  if (place.bytes > most_directory_bytes) {
    throw DataError(file.path(),
                    cat("its zip directory takes ", place.bytes, " bytes, allowed: ", most_directory_bytes));
  }
  const Piece directory(file, place.offset, place.bytes, "zip directory");
  std::map<std::string, ZipEntry> out;
  for (std::int64_t at = 0; at < directory.bytes();) {
    if (directory.number(at, 4) != entry_signature) directory.refuse(at, "no directory entry is there");
    const std::uint64_t flags = directory.number(at + 8, 2);
    const std::uint64_t method = directory.number(at + 10, 2);
    EntryNumbers numbers{directory.number(at + 20, 4), directory.number(at + 24, 4),
                         directory.number(at + 42, 4)};
    const auto name_bytes = static_cast<std::int64_t>(directory.number(at + 28, 2));
    const auto extra_bytes = static_cast<std::int64_t>(directory.number(at + 30, 2));
    const auto comment_bytes = static_cast<std::int64_t>(directory.number(at + 32, 2));
    const std::string name = directory.text(at + entry_bytes, name_bytes);
    const std::int64_t extra_at = at + entry_bytes + name_bytes;
    read_zip64_field(directory, extra_at, extra_at + extra_bytes, numbers);
    if ((flags & 1U) != 0) directory.refuse(at, cat("entry '", name, "' is encrypted"));
    if (method != 0 || numbers.packed != numbers.plain) {
      directory.refuse(at, cat("entry '", name, "' is compressed (method ", method,
                               "), allowed: stored, as torch.save writes it"));
    }
    if (!out.emplace(name, locate(file, directory, at, name, numbers)).second) {
      directory.refuse(at, cat("entry '", name, "' is there twice"));
    }
    at = extra_at + extra_bytes + comment_bytes;
  }
  return out;
}

}  // namespace wan
