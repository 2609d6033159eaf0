#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/error.hpp"
#include "base/text.hpp"
#include "weights/hdf5/boxes.hpp"
#include "weights/hdf5/call.hpp"
#include "weights/hdf5/lock.hpp"
#include "weights/hdf5/native.hpp"
#include "weights/hdf5/object.hpp"
#include "weights/hdf5/open_file.hpp"

namespace wan::hdf5 {
namespace {

/// Large enough for full disk speed, small enough that another thread's turn comes within milliseconds.
constexpr std::int64_t slab_bytes = std::int64_t{4} << 20;

using Extents = std::array<hsize_t, Shape::max_rank>;

Extents as_hsize(const Shape& shape) {
  Extents out{};
  for (int axis = 0; axis < shape.rank(); ++axis) {
    out[static_cast<std::size_t>(axis)] = static_cast<hsize_t>(shape[axis]);
  }
  return out;
}

}  // namespace

Dataset::Dataset(Handle handle, std::string name) : handle_(std::move(handle)), name_(std::move(name)) {
  const Lock lock;
  const std::string& path = handle_.file()->path;
  const Handle type(check(H5Dget_type(handle_.id()), Fault::content, path, name_, "read the type"),
                    close_type, {});
  type_ = type_from_file(type.id(), path, name_);
  shape_ = shape_from_file(handle_.id(), path, name_);
  // A hostile or cut file may announce more than it holds; nobody may allocate memory for that.
  const std::int64_t length = handle_.file()->bytes;
  if (length < 0 || shape_.elements() == 0) return;
  const std::int64_t offset = file_offset();
  if (offset > length || shape_.elements() > (length - offset) / bytes_of(type_)) {
    throw DataError(path, cat(name_, ": ", name_of(type_), " ", shape_.text(), " from byte ", offset,
                              " does not fit into the file's ", length, " bytes"));
  }
}

const Dataset& Dataset::expect(Type type, const std::vector<std::int64_t>& extents) const {
  bool fits = type == type_ && extents.size() == static_cast<std::size_t>(shape_.rank());
  for (int axis = 0; fits && axis < shape_.rank(); ++axis) {
    const std::int64_t extent = extents[static_cast<std::size_t>(axis)];
    fits = extent < 0 || extent == shape_[axis];
  }
  if (!fits) {
    std::vector<std::string> wanted;
    for (const std::int64_t extent : extents) wanted.push_back(extent < 0 ? "any" : std::to_string(extent));
    throw DataError(handle_.file()->path, cat(name_, ": found ", name_of(type_), " ", shape_.text(),
                                              ", expected ", name_of(type), " [", join(wanted, ", "), "]"));
  }
  return *this;
}

void Dataset::check_range(std::int64_t first, std::int64_t count) const {
  if (first < 0 || count < 0 || first > shape_.elements() - count) {
    throw DataError(handle_.file()->path, cat(name_, ": elements ", first, " to ", first + count,
                                              " were asked for, it has shape ", shape_.text()));
  }
}

void Dataset::read(std::int64_t first, std::int64_t count, void* to) const {
  check_range(first, count);
  auto* bytes = static_cast<std::byte*>(to);
  cut_range(shape_, first, count, [&](const Shape& start, const Shape& extents, std::int64_t before) {
    transfer(start, extents, bytes + before * bytes_of(type_), nullptr);
  });
}

void Dataset::write(std::int64_t first, std::int64_t count, const void* from) {
  check_range(first, count);
  const auto* bytes = static_cast<const std::byte*>(from);
  cut_range(shape_, first, count, [&](const Shape& start, const Shape& extents, std::int64_t before) {
    transfer(start, extents, nullptr, bytes + before * bytes_of(type_));
  });
}

void Dataset::read_box(const Shape& start, const Shape& extents, void* to) const {
  transfer(start, extents, to, nullptr);
}

void Dataset::write_box(const Shape& start, const Shape& extents, const void* from) {
  transfer(start, extents, nullptr, from);
}

void Dataset::transfer(const Shape& start, const Shape& extents, void* to, const void* from) const {
  const std::string& path = handle_.file()->path;
  bool inside = start.rank() == shape_.rank() && extents.rank() == shape_.rank();
  for (int axis = 0; inside && axis < shape_.rank(); ++axis) {
    inside = start[axis] >= 0 && extents[axis] >= 0 && start[axis] <= shape_[axis] - extents[axis];
  }
  if (!inside) {
    throw DataError(
        path, cat(name_, ": box ", extents.text(), " at ", start.text(), " is outside ", shape_.text()));
  }
  cut_box(start, extents, slab_bytes / bytes_of(type_),
          [&](const Shape& at, const Shape& part, std::int64_t before) {
            const Lock lock;
            const Handle type = native_type(type_);
            const Extents memory = as_hsize(part);
            const Extents place = as_hsize(at);
            const Handle memory_space(H5Screate_simple(part.rank(), memory.data(), nullptr), close_space, {});
            const Handle file_space(
                check(H5Dget_space(handle_.id()), Fault::content, path, name_, "read the extents"),
                close_space, {});
            if (part.rank() > 0) {
              check(H5Sselect_hyperslab(file_space.id(), H5S_SELECT_SET, place.data(), nullptr, memory.data(),
                                        nullptr),
                    Fault::content, path, name_, "select a slab");
            }
            const std::int64_t offset = before * bytes_of(type_);
            if (to != nullptr) {
              check(H5Dread(handle_.id(), type.id(), memory_space.id(), file_space.id(), H5P_DEFAULT,
                            static_cast<std::byte*>(to) + offset),
                    Fault::content, path, name_, "read");
            } else {
              check(H5Dwrite(handle_.id(), type.id(), memory_space.id(), file_space.id(), H5P_DEFAULT,
                             static_cast<const std::byte*>(from) + offset),
                    Fault::transfer, path, name_, "write");
            }
          });
}

std::int64_t Dataset::file_offset() const {
  const Lock lock;
  const haddr_t at = H5Dget_offset(handle_.id());
  if (at == HADDR_UNDEF)
    fail(Fault::content, handle_.file()->path, name_, "find the place of its first element");
  return static_cast<std::int64_t>(at);
}

}  // namespace wan::hdf5
