/* Prints the class of an image that is a tensor already: classify MODEL.onnx IMAGE.raw (float32 in the model's order). */
#include <halftone/c/halftone.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_RANK 8

static void require(halftone_status status) {
  if (status == HALFTONE_OK) return;
  fprintf(stderr, "%s\n", halftone_last_error());
  exit(2);
}

/* Prints a port; fills in its dimensions, 1 where they are free, and returns the number of elements. */
static size_t describe(const char* side, const halftone_port* port, int64_t dims[MAX_RANK]) {
  size_t count = 1;
  printf("%s %s:", side, port->name);
  for (int32_t d = 0; d < port->rank && d < MAX_RANK; ++d) {
    dims[d] = port->dims[d] < 0 ? 1 : port->dims[d];
    count *= (size_t)dims[d];
    printf(" %lld", (long long)dims[d]);
  }
  printf(port->code_dtype == HALFTONE_UNDEFINED ? "\n" : " (quantized, scale %g)\n", port->scale);
  return count;
}

int main(int argc, char** argv) {
  if (argc != 3) return fprintf(stderr, "usage: classify MODEL.onnx IMAGE.raw\n"), 2;
  halftone_session* session = NULL;
  require(halftone_session_load(argv[1], NULL, &session));

  int64_t dims[MAX_RANK];
  const halftone_port *in = halftone_session_input(session, 0), *out = halftone_session_output(session, 0);
  const size_t classes = describe("output", out, dims), count = describe("input", in, dims);
  float *image = malloc(count * sizeof *image), *scores = malloc(classes * sizeof *scores);
  FILE* file = fopen(argv[2], "rb");
  if (!image || !scores || !file || fread(image, sizeof *image, count, file) != count) return perror(argv[2]), 2;
  fclose(file);

  const halftone_tensor input = {in->dtype, in->rank, dims, image, count * sizeof *image};
  const halftone_buffer output = {out->dtype, scores, classes * sizeof *scores};
  require(halftone_session_run(session, &input, 1, &output, 1));
  size_t best = 0;
  for (size_t i = 1; i < classes; ++i) best = scores[i] > scores[best] ? i : best;
  printf("class %zu\n", best);
  free(image), free(scores);
  halftone_session_release(session);
  return 0;
}
