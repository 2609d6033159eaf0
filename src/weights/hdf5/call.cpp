#include "weights/hdf5/call.hpp"

#include <hdf5.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan::hdf5 {
namespace {

struct Trace {
  std::vector<std::string> messages;
  int error_number = 0;
};

herr_t collect(unsigned, const H5E_error2_t* entry, void* into) {
  auto& trace = *static_cast<Trace*>(into);
  const std::string text = entry->desc == nullptr ? std::string() : std::string(entry->desc);
  const std::string mark = "errno = ";
  if (const auto at = text.find(mark); at != std::string::npos && trace.error_number == 0) {
    trace.error_number = std::atoi(text.c_str() + at + mark.size());
  }
  // HDF5 walks from the cause outwards; two lines tell what happened, the rest is its own call chain.
  if (trace.messages.size() < 2 && !text.empty()) trace.messages.push_back(text);
  return 0;
}

}  // namespace

void fail(Fault fault, const std::string& file, const std::string& object, const std::string& what) {
  Trace trace;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &trace);
  H5Eclear2(H5E_DEFAULT);
  std::string message = object.empty() ? std::string() : object + ": ";
  message += "cannot " + what;
  if (!trace.messages.empty()) message += " (HDF5: " + join(trace.messages, "; ") + ")";
  switch (fault) {
    case Fault::content:
      throw DataError(file, message);
    case Fault::create:
      throw CreateError(file, message);
    case Fault::transfer:
      break;
  }
  throw IoError(file, trace.error_number, message);
}

}  // namespace wan::hdf5
