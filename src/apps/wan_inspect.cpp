#include <cstdio>

#include "apps/inspect_plan.hpp"
#include "apps/inspect_stored.hpp"
#include "apps/program.hpp"
#include "config/inspect_options.hpp"

// One process, no MPI and no device: it runs on a login node.
int main(int argc, char** argv) {
  bool good = true;
  int code = 0;
  const auto looked = [&] {
    const wan::Invocation<wan::InspectOptions> invocation =
        wan::parse_inspect_options(wan::arguments_of(argc, argv));
    if (!invocation.text.empty()) return invocation.text;
    const wan::InspectOptions& options = invocation.options;
    switch (options.subject) {
      case wan::InspectSubject::plan:
        return wan::plan_text(options);
      case wan::InspectSubject::checkpoint:
        return wan::checkpoint_text(options.path, options.verify, good);
      case wan::InspectSubject::dataset:
        break;
    }
    return wan::dataset_text(options.path, options.verify, good);
  };
  (void)wan::ends_before_start(looked, code);
  if (code == 0 && !good) code = static_cast<int>(wan::ExitCode::data);
  return code;
}
