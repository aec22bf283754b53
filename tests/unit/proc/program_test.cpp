#include "proc/program.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_directory.hpp"

namespace bernstein::proc {
namespace {

using test::TempDirectory;

class Program : public ::testing::Test {
 protected:
  std::string a_file(const std::string& name, std::filesystem::perms mode = std::filesystem::perms::owner_all) {
    test::write_file(root() / name, "#!/bin/sh\n");
    std::filesystem::permissions(root() / name, mode);
    return root() / name;
  }
  std::string message_of(const port::ProcessSpec& spec) {
    const auto found = find_program(spec);
    return found ? "found " + *found : found.error().message;
  }
  port::ProcessSpec a_spec(const std::string& program, const std::string& path = "/nowhere") {
    return {.argv = {program}, .env = {{"PATH", path}}, .directory = root(), .stdin_text = {}, .output_path = {}};
  }
  std::filesystem::path root() { return directory.path(); }

  TempDirectory directory;
};

TEST_F(Program, IsTheFirstExecutableFileInThePathOfItsOwnEnvironment) {
  a_file("a/tool", std::filesystem::perms::owner_read);
  std::filesystem::create_directories(root() / "b" / "tool");
  const std::string third = a_file("c/tool");
  a_file("d/tool");
  const std::string path = (root() / "a").string() + ":" + (root() / "b").string() + ":" + (root() / "c").string() +
                           ":" + (root() / "d").string();

  const auto found = find_program(a_spec("tool", path));

  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, third);
}

TEST_F(Program, WithASlashIsRelativeToTheDirectoryOfTheProcess) {
  const std::string tool = a_file("bin/tool");
  EXPECT_EQ(message_of(a_spec(tool)), "found " + tool);
  EXPECT_EQ(message_of(a_spec("bin/tool")), "found " + tool);
}

TEST_F(Program, IsNotSearchedInRelativeDirectoriesOfPath) {
  a_file("tool");
  EXPECT_EQ(message_of(a_spec("tool", ".::bin:/nowhere")),
            "cannot start 'tool': no such program in PATH (.::bin:/nowhere); install it or correct the command");
}

TEST_F(Program, ThatIsMissingOrNotExecutableIsRefusedWithAReason) {
  const std::string file = a_file("file", std::filesystem::perms::owner_read);
  EXPECT_EQ(message_of(a_spec("./no")), "cannot start './no': there is no such file");
  EXPECT_EQ(message_of(a_spec("./file")),
            "cannot start './file': it is not an executable file; set its mode with chmod +x");
  EXPECT_EQ(message_of(a_spec("/")), "cannot start '/': it is not an executable file; set its mode with chmod +x");
  EXPECT_EQ(message_of(a_spec("file", root())),
            "cannot start 'file': what PATH has by this name is not an executable file");
  EXPECT_EQ(message_of(a_spec("")), "cannot start '': the name of the program is empty");
}

TEST_F(Program, CannotBeGivenWhatNoProcessCanGet) {
  port::ProcessSpec nul = a_spec("/bin/sh");
  nul.argv.push_back(std::string("a\0b", 3));
  EXPECT_EQ(message_of(nul), "cannot start '/bin/sh': argument 1 contains a NUL byte");

  port::ProcessSpec name = a_spec("/bin/sh");
  name.env["A=B"] = "c";
  EXPECT_EQ(message_of(name), "cannot start '/bin/sh': 'A=B' is no name of an environment variable");

  port::ProcessSpec value = a_spec("/bin/sh");
  value.env["A"] = std::string("\0", 1);
  EXPECT_EQ(message_of(value), "cannot start '/bin/sh': the environment variable A contains a NUL byte");

  port::ProcessSpec gone = a_spec("/bin/sh");
  gone.directory = "/no/such/directory";
  EXPECT_EQ(message_of(gone), "cannot start '/bin/sh': its directory /no/such/directory is not there");
}

TEST_F(Program, InAWrapperIsNamedByThePathThatItWasFoundAt) {
  const std::string tool = a_file("bin/tool");
  const std::string box = a_file("a box");
  port::ProcessSpec spec = a_spec("tool", (root() / "bin").string());
  spec.argv.push_back("--all");
  EXPECT_EQ(find_invocation(spec)->program, tool);
  EXPECT_EQ(find_invocation(spec)->argv, (std::vector<std::string>{"tool", "--all"}));

  spec.wrapper = {box, "--"};
  EXPECT_EQ(find_invocation(spec)->program, box);
  EXPECT_EQ(find_invocation(spec)->argv, (std::vector<std::string>{box, "--", tool, "--all"}));
}

TEST_F(Program, InAWrapperIsMissedAsItIsWithout) {
  port::ProcessSpec spec = a_spec("ghost", "/nowhere");
  spec.wrapper = {a_file("box")};
  EXPECT_EQ(find_invocation(spec).error().message, message_of(a_spec("ghost", "/nowhere")));

  spec.argv = {a_file("tool")};
  spec.wrapper = {root() / "no box"};
  EXPECT_EQ(find_invocation(spec).error().message, "cannot start '" + spec.argv[0] + "': " + spec.wrapper[0] +
                                                       ", which it is to run in, is no executable file");
}

}  // namespace
}  // namespace bernstein::proc
