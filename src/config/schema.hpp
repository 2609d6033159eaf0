#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/complaints.hpp"
#include "config/field.hpp"
#include "config/value.hpp"

namespace wan {

/// The one table of a configuration: it parses, checks, explains and writes it. An entry ties a dotted key to
/// a member of a struct that the schema borrows; what the member holds when it is added is the key's default.
class Schema {
 public:
  struct Entry {
    std::string key;
    Field field;
    Range range;
    std::string unit;  ///< "" where there is none
    std::string help;
    Value initial;  ///< the default
  };

  /// Starts a group; the entries that follow are called `name.<key>`.
  void group(const std::string& name, const std::string& help);

  template <class Member>
  void add(const std::string& key, Member& member, const Range& range, const std::string& unit,
           const std::string& help) {
    add_field(key, make_field(member), range, unit, help);
  }
  template <class Member>
  void add(const std::string& key, Member& member, const std::string& help) {
    add_field(key, make_field(member), Range(), "", help);
  }

  /// `other` (dotted) is another spelling of `key` (dotted). In one file, or on one command line, both must
  /// agree.
  void alias(const std::string& other, const std::string& key);
  /// A key, or with "group.*" every key below a group, that is accepted and changes nothing; `why` tells the
  /// user.
  void ignore(const std::string& pattern, const std::string& why);
  /// A key, or "group.*", that may only be null, false, 0 or [], because what it switches on does not exist
  /// here.
  void unavailable(const std::string& pattern, const std::string& why);

  /// Writes one layer of settings into the struct; later settings win. What is wrong goes to `complaints`,
  /// one line per ignored key to `notices`. Interpolations are resolved here.
  void apply(const std::vector<Setting>& layer, Complaints& complaints, std::vector<std::string>& notices);

  /// The present value of `key` in YAML, text without quotes. ConfigError if there is no such key.
  [[nodiscard]] std::string value_of(const std::string& key) const;

  /// Every key with default, unit, allowed values and meaning, by group, aligned for a terminal.
  [[nodiscard]] std::string help() const;
  /// The struct's present values as a commented YAML file that `apply` reads back to the same struct.
  [[nodiscard]] std::string dump() const;

 private:
  struct Group {
    std::string name;
    std::string help;
    std::vector<Entry> entries;
  };

  void add_field(const std::string& key, Field field, const Range& range, const std::string& unit,
                 const std::string& help);
  [[nodiscard]] const Entry* find(const std::string& key) const;
  [[nodiscard]] bool is_group(const std::string& key) const;
  void apply_one(const Entry& entry, const Setting& setting, Complaints& complaints) const;
  [[nodiscard]] std::string nearest_key(const std::string& key) const;
  void complain_unknown(const Setting& setting, Complaints& complaints) const;
  void check_aliases(const std::vector<Setting>& layer, Complaints& complaints) const;

  std::vector<Group> groups_;
  std::map<std::string, std::string> aliases_;
  std::map<std::string, std::string> ignored_;
  std::map<std::string, std::string> unavailable_;
};

}  // namespace wan
