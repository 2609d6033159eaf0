#include "apps/program.hpp"
#include "config/convert_options.hpp"
#include "convert/convert_job.hpp"

// One process, no MPI and no device: it runs on a login node.
int main(int argc, char** argv) {
  int code = 0;
  const auto converted = [&] {
    const wan::Invocation<wan::ConvertOptions> invocation =
        wan::parse_convert_options(wan::arguments_of(argc, argv));
    return invocation.text.empty() ? wan::convert(invocation.options) : invocation.text;
  };
  (void)wan::ends_before_start(converted, code);
  return code;
}
