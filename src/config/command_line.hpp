#pragma once
#include <string>
#include <utility>
#include <vector>

#include "config/field.hpp"

namespace wan {

/// What came of a command line: the options, or a text to print (--help, --version) before leaving with exit
/// code 0.
template <class Options>
struct Invocation {
  Options options;
  std::string text;                  ///< not empty: print it and leave
  std::vector<std::string> notices;  ///< one line per flag that was accepted without effect
};

/// The flags of one program, bound to the members of a struct that is borrowed. Long flags only; `-` and `_`
/// are the same in every flag; a flag given twice takes the last value; lists take all values up to the next
/// flag.
class CommandLine {
 public:
  /// `program` and `usage` ("[flags] [key=value ...]") head the help text; `summary` is a sentence.
  CommandLine(std::string program, std::string usage, std::string summary);

  /// A flag `--name`. A bool member takes no value; a vector member takes one or more.
  template <class Member>
  CommandLine& flag(const std::string& name, Member& member, const Range& range, const std::string& unit,
                    const std::string& help) {
    return add({name, make_field(member), range, unit, help, {}, false});
  }
  template <class Member>
  CommandLine& flag(const std::string& name, Member& member, const std::string& help) {
    return add({name, make_field(member), Range(), "", help, {}, false});
  }
  /// The flag added last must be given.
  CommandLine& required();

  /// A flag of the workflow this program replaces: accepted, with or without a value, and without effect.
  CommandLine& ignore(const std::string& name, const std::string& why);

  /// Tokens that belong to no flag go to `tokens`; without this call they are errors.
  CommandLine& remaining(std::vector<std::string>& tokens);

  /// More text for --help, after the flags.
  CommandLine& epilogue(std::string text);

  /// Fills the struct from argv[1..]. Returns the text to print if --help or --version was asked for, else
  /// "". Throws UsageError naming the flag, the value found and what is allowed; an unknown flag names the
  /// nearest one.
  [[nodiscard]] std::string parse(const std::vector<std::string>& arguments,
                                  std::vector<std::string>& notices);

  [[nodiscard]] std::string help() const;

 private:
  struct Flag {
    std::string name;
    Field field;
    Range range;
    std::string unit;
    std::string help;
    Value initial;
    bool required;
  };
  struct Ignored {
    std::string name;
    std::string why;
  };

  CommandLine& add(Flag flag);
  void assign_flag(const Flag& flag, const std::vector<std::string>& found) const;
  [[noreturn]] void complain_unknown(const std::string& token) const;

  std::string program_;
  std::string usage_;
  std::string summary_;
  std::string epilogue_;
  std::vector<Flag> flags_;
  std::vector<Ignored> ignored_;
  std::vector<std::string>* remaining_ = nullptr;
};

}  // namespace wan
