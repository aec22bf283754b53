#pragma once
// A git repository of a test's own with a log in its .sdd, and commands called on it.
//
//     SmallRun here;                                                             // its log tells small_story.hpp
//     const Looked status = here.look(status_command, LookOptions{.run = "r1"});
//     EXPECT_EQ(status.out, "...");

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/cli/commands.hpp"
#include "bernstein/event/event.hpp"
#include "small_story.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::test {

// How a command ended and what it printed.
struct Looked {
  std::optional<cli::Exit> exit;
  std::optional<Error> error;
  std::string out;
  std::string err;

  std::string message() const { return error ? error->message : ""; }
};

// A git repository without commits, with an empty log in its .sdd.
class Workplace {
 public:
  Workplace();

  std::string root() const { return root_; }
  std::string sdd() const { return root_ + "/.sdd"; }
  std::string git(const std::string& arguments) const;  // what it prints, without the newline at the end
  std::string put_blob(const std::string& bytes) const;
  void append(const std::vector<Event>& events, RunId run) const;

  Looked run(const std::function<Result<cli::Exit>(cli::Context&)>& command) const;
  template <class Options>
  Looked look(Result<cli::Exit> (*command)(cli::Context&, const Options&), const Options& options) const {
    return run([&](cli::Context& context) { return command(context, options); });
  }

  // How the next commands are called.
  bool json = false;
  bool terminal = false;
  bool colour = false;
  std::string directory;  // absolute; the root unless set
  std::map<std::string, std::string> environment;

 private:
  TempDirectory directory_;
  std::string root_;
};

class SmallRun : public Workplace {
 public:
  SmallRun();
  std::int64_t events = 0;  // of r1
};

}  // namespace bernstein::test
