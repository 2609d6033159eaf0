#pragma once
#include <cstdint>
#include <string>

#include "tensor/shape.hpp"
#include "weights/hdf5/object.hpp"
#include "weights/hdf5/type.hpp"

/// Used by this folder's .cpp files only. The caller holds the Lock.
namespace wan::hdf5 {

[[nodiscard]] Handle native_type(Type type);
/// The Type equal to a file's type; DataError if there is none.
[[nodiscard]] Type type_from_file(std::int64_t type_id, const std::string& file, const std::string& object);
/// DataError for more than Shape::max_rank axes, no simple extent or more elements than int64 counts.
[[nodiscard]] Shape shape_from_file(std::int64_t dataset_id, const std::string& file,
                                    const std::string& object);

int close_type(std::int64_t id);
int close_space(std::int64_t id);
int close_list(std::int64_t id);
int close_attribute(std::int64_t id);
int close_dataset(std::int64_t id);
int close_group(std::int64_t id);

}  // namespace wan::hdf5
