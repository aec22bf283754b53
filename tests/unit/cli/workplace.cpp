#include "workplace.hpp"

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "bernstein/base/check.hpp"
#include "bernstein/store/store.hpp"

namespace bernstein::test {

Workplace::Workplace() : root_(std::filesystem::canonical(directory_.path()).string() + "/repo") {
  std::filesystem::create_directories(root_);
  git("init -q -b main");
  std::filesystem::create_directories(sdd());
  BERNSTEIN_CHECK(store::open_log(sdd() + "/state.db").has_value(), "a log can be made");
}

std::string Workplace::git(const std::string& arguments) const {
  const std::string command = "cd '" + root_ + "' && GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 " +
                              "git -c user.name=T -c user.email=t@example.com " + arguments + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  BERNSTEIN_CHECK(pipe != nullptr, "git can be started");
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  BERNSTEIN_CHECK(::pclose(pipe) == 0, output.c_str());
  while (output.ends_with('\n')) output.pop_back();
  return output;
}

std::string Workplace::put_blob(const std::string& bytes) const {
  return store::open_blobs(sdd() + "/blobs").value()->put(bytes).value();
}

void Workplace::append(const std::vector<Event>& events, RunId run) const {
  const std::unique_ptr<port::EventLog> log = store::open_log(sdd() + "/state.db").value();
  const Status appended = log->append(sealed(events, run, log->head().value()));
  BERNSTEIN_CHECK(appended.has_value(), appended ? "" : appended.error().message.c_str());
}

Looked Workplace::run(const std::function<Result<cli::Exit>(cli::Context&)>& command) const {
  std::ostringstream out;
  std::ostringstream err;
  cli::Context context{.directory = directory.empty() ? root_ : directory,
                       .json = json,
                       .verbose = false,
                       .out_is_terminal = terminal,
                       .err_is_terminal = false,
                       .colour = colour,
                       .environment = environment,
                       .program = "/bernstein",
                       .out = out,
                       .err = err};
  const Result<cli::Exit> result = command(context);
  Looked looked{.exit = {}, .error = {}, .out = out.str(), .err = err.str()};
  if (result) {
    looked.exit = *result;
  } else {
    looked.error = result.error();
  }
  return looked;
}

SmallRun::SmallRun() {
  const World world = small_story(put_blob("1 of 9 tests failed\n"));
  append(world.log(), RunId{1});
  events = static_cast<std::int64_t>(world.log().size());
}

}  // namespace bernstein::test
