#include "weights/hdf5/object.hpp"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "weights/hdf5/call.hpp"
#include "weights/hdf5/lock.hpp"
#include "weights/hdf5/native.hpp"
#include "weights/hdf5/open_file.hpp"

namespace wan::hdf5 {
namespace {

/// Members are collected with a limit, so that a hostile file cannot fill the memory.
constexpr hsize_t most_members = 1 << 20;

std::string joined(const std::string& group, const std::string& name) {
  return group == "/" ? "/" + name : group + "/" + name;
}

Handle intermediate_groups() {
  Handle list(H5Pcreate(H5P_LINK_CREATE), close_list, {});
  H5Pset_create_intermediate_group(list.id(), 1);
  return list;
}

bool link_exists(hid_t group, const std::string& name) {
  // H5Lexists wants every step of the path to exist.
  std::string path;
  for (const std::string& step : split(name, '/')) {
    path += path.empty() ? step : "/" + step;
    if (H5Lexists(group, path.c_str(), H5P_DEFAULT) <= 0) {
      H5Eclear2(H5E_DEFAULT);
      return false;
    }
  }
  return true;
}

}  // namespace

Handle::Handle(std::int64_t id, Close close, std::shared_ptr<OpenFile> file)
    : id_(id), close_(close), file_(std::move(file)) {}

Handle::Handle(Handle&& other) noexcept
    : id_(std::exchange(other.id_, -1)), close_(other.close_), file_(std::move(other.file_)) {}

Handle& Handle::operator=(Handle&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(close_, other.close_);
  std::swap(file_, other.file_);
  return *this;
}

Handle::~Handle() {
  if (id_ < 0) return;
  const Lock lock;
  close_(id_);
}

Group::Group(Handle handle, std::string name) : handle_(std::move(handle)), name_(std::move(name)) {}

bool Group::has(const std::string& name) const {
  const Lock lock;
  return link_exists(handle_.id(), name);
}

std::vector<std::string> Group::members() const {
  const Lock lock;
  const std::string& path = handle_.file()->path;
  H5G_info_t info;
  check(H5Gget_info(handle_.id(), &info), Fault::content, path, name_, "list");
  if (info.nlinks > most_members) throw DataError(path, cat(name_, ": has ", info.nlinks, " members"));
  std::vector<std::string> names;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    std::array<char, 1024> text{};
    const auto length = check(H5Lget_name_by_idx(handle_.id(), ".", H5_INDEX_NAME, H5_ITER_INC, i,
                                                 text.data(), text.size(), H5P_DEFAULT),
                              Fault::content, path, name_, "list");
    if (static_cast<std::size_t>(length) >= text.size()) throw DataError(path, name_ + ": a name of 1 KiB");
    names.emplace_back(text.data());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Group Group::group(const std::string& name) const {
  const Lock lock;
  const std::string full = joined(name_, name);
  const std::string& path = handle_.file()->path;
  const hid_t id =
      check(H5Gopen2(handle_.id(), name.c_str(), H5P_DEFAULT), Fault::content, path, full, "open the group");
  return {Handle(id, close_group, handle_.file()), full};
}

Dataset Group::dataset(const std::string& name) const {
  const Lock lock;
  const std::string full = joined(name_, name);
  const std::string& path = handle_.file()->path;
  const hid_t id = check(H5Dopen2(handle_.id(), name.c_str(), H5P_DEFAULT), Fault::content, path, full,
                         "open the dataset");
  return {Handle(id, close_dataset, handle_.file()), full};
}

Group Group::create_group(const std::string& name) {
  const Lock lock;
  const Handle creation(H5Pcreate(H5P_GROUP_CREATE), close_list, {});
  H5Pset_obj_track_times(creation.id(), false);
  const std::string full = joined(name_, name);
  const hid_t id =
      check(H5Gcreate2(handle_.id(), name.c_str(), intermediate_groups().id(), creation.id(), H5P_DEFAULT),
            Fault::transfer, handle_.file()->path, full, "create the group");
  return {Handle(id, close_group, handle_.file()), full};
}

Dataset Group::create_dataset(const std::string& name, Type type, const Shape& shape) {
  const Lock lock;
  const std::string full = joined(name_, name);
  const std::string& path = handle_.file()->path;
  std::array<hsize_t, Shape::max_rank> extents{};
  for (int axis = 0; axis < shape.rank(); ++axis) {
    extents[static_cast<std::size_t>(axis)] = static_cast<hsize_t>(shape[axis]);
  }
  const Handle space(check(shape.rank() == 0 ? H5Screate(H5S_SCALAR)
                                             : H5Screate_simple(shape.rank(), extents.data(), nullptr),
                           Fault::transfer, path, full, "describe its extents"),
                     close_space, {});
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), close_list, {});
  H5Pset_obj_track_times(creation.id(), false);
  H5Pset_layout(creation.id(), H5D_CONTIGUOUS);
  H5Pset_alloc_time(creation.id(), H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(creation.id(), H5D_FILL_TIME_NEVER);
  const hid_t id = check(H5Dcreate2(handle_.id(), name.c_str(), native_type(type).id(), space.id(),
                                    intermediate_groups().id(), creation.id(), H5P_DEFAULT),
                         Fault::transfer, path, full, "create the dataset");
  return {Handle(id, close_dataset, handle_.file()), full};
}

}  // namespace wan::hdf5
