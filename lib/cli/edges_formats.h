// The graph of services as text, JSON and a picture for graphviz.
#ifndef HEAPGAUGE_CLI_EDGES_FORMATS_H_
#define HEAPGAUGE_CLI_EDGES_FORMATS_H_

#include <cstddef>
#include <string>

#include "cli/service_graph.h"

namespace heapgauge::cli {

// "auth and session call each other in a circle: ...", one line without a line break.
std::string CircleLine(const FoundCircle& found);

std::string EdgesToText(const ServiceGraph& graph, size_t most, size_t width, bool colour);
std::string EdgesToJson(const ServiceGraph& graph);
std::string EdgesToDot(const ServiceGraph& graph);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_EDGES_FORMATS_H_
