#pragma once
// What known roles are asked to keep an eye on: roles/<role>.md, embedded when we are built. `roles:` of bernstein.yaml
// replaces one or adds another. What a run tells a role stands in its RunConfig, so it needs no version of its own.
//
//     agent::built_in_role("qa")      "Write tests that fail when ...\n\nOne test for one behaviour ...\n"

#include <string_view>
#include <vector>

namespace bernstein::agent {

// "" for a role that is not known: any word may be a role.
std::string_view built_in_role(std::string_view role);

// Their names, in order.
std::vector<std::string_view> built_in_roles();

}  // namespace bernstein::agent
