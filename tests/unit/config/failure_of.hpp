#pragma once
#include <string>

namespace wan {

/// The message of the error of type `Failure` that `action` throws; "" if it throws none.
template <class Failure, class Action>
std::string failure_of(Action&& action) {
  try {
    action();
  } catch (const Failure& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace wan
