/* The room `c`: Halftone for C programs, and for every language that can call C. It sees runtime.
 *
 * A session runs one network. Load it once, from a file or from memory, and run it as often as you like, from any
 * thread, on memory of your own:
 *
 *     halftone_session* session = NULL;
 *     if (halftone_session_load("model.onnx", NULL, &session) != HALFTONE_OK) puts(halftone_last_error());
 *     halftone_tensor image = {HALFTONE_FLOAT32, 4, dims, pixels, sizeof pixels};
 *     halftone_buffer scores = {HALFTONE_FLOAT32, room, sizeof room};
 *     halftone_session_run(session, &image, 1, &scores, 1);
 *     halftone_session_release(session);
 *
 * The arithmetic, its determinism and what a run costs: halftone/runtime/session.h, of which this is another face.
 *
 * Errors: functions that can fail return a status, leave what they were to return untouched, and say what is wrong in
 * halftone_last_error(). No function throws, prints or exits. Arguments are checked, but a pointer that is not null is
 * taken to be valid.
 * Threads: any function may be called from any thread; a handle must not be in use elsewhere while it is released.
 * Stability: numbers of enumerators and layouts of structures stay as they are; structures that the library fills in
 * may grow at their end, and so may halftone_options, which says how large the caller knows it to be.
 */
#ifndef HALFTONE_C_HALFTONE_H_
#define HALFTONE_C_HALFTONE_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0": the library's version. */
const char* halftone_version(void);

/* --- errors */

typedef enum halftone_status {
  HALFTONE_OK = 0,
  HALFTONE_INVALID_MODEL = 1,    /* the network contradicts itself or the ONNX standard */
  HALFTONE_INVALID_ARGUMENT = 2, /* an argument can't be used */
  HALFTONE_INVALID_DATA = 3,     /* data can't be read */
  HALFTONE_UNSUPPORTED = 4,      /* valid, but Halftone can't do it */
  HALFTONE_IO = 5,               /* the file system refused */
  HALFTONE_NUMERIC_RANGE = 6,    /* a number leaves the range in which the arithmetic is exact */
  HALFTONE_OUT_OF_MEMORY = 7,
  HALFTONE_INTERNAL = 8 /* a bug of Halftone's */
} halftone_status;

/* "invalid model", "io" ...; "unknown status" for other numbers. */
const char* halftone_status_name(int status);

/* One line about the last call on this thread that failed: where, what was required, what was found. "" if none did.
 * Valid until the next one fails on this thread. */
const char* halftone_last_error(void);

/* --- tensors */

/* Element types; the numbers are ONNX's. */
typedef enum halftone_dtype {
  HALFTONE_UNDEFINED = 0,
  HALFTONE_FLOAT32 = 1,
  HALFTONE_UINT8 = 2,
  HALFTONE_INT8 = 3,
  HALFTONE_UINT16 = 4,
  HALFTONE_INT16 = 5,
  HALFTONE_INT32 = 6,
  HALFTONE_INT64 = 7,
  HALFTONE_BOOL = 9,
  HALFTONE_FLOAT16 = 10,
  HALFTONE_FLOAT64 = 11,
  HALFTONE_UINT32 = 12,
  HALFTONE_UINT64 = 13,
  HALFTONE_BFLOAT16 = 16
} halftone_dtype;

/* What run reads: elements in row-major order, aligned as their type. */
typedef struct halftone_tensor {
  halftone_dtype dtype;
  int32_t rank;
  const int64_t* dims; /* `rank` of them; may be null where rank is 0 */
  const void* data;
  size_t bytes; /* at least what the shape takes */
} halftone_tensor;

/* Where run writes. The buffers of one run must not overlap each other or its inputs. */
typedef struct halftone_buffer {
  halftone_dtype dtype;
  void* data;
  size_t bytes; /* at least what the output takes */
} halftone_buffer;

/* --- sessions */

typedef struct halftone_session halftone_session;

/* Threads that several sessions share. */
typedef struct halftone_team halftone_team;

/* `threads` threads, the caller of a run included; 0: one per core. Release it at any time: sessions keep what they
 * use. */
halftone_status halftone_team_create(int32_t threads, halftone_team** team);
void halftone_team_release(halftone_team* team);

typedef enum halftone_requantize { HALFTONE_REQUANTIZE_FLOAT = 0, HALFTONE_REQUANTIZE_DYADIC = 1 } halftone_requantize;

typedef struct halftone_options {
  size_t size;                    /* sizeof(halftone_options) */
  int32_t threads;                /* of one run, the caller's included; 0: one per core */
  const halftone_team* team;      /* share these threads; null: threads of the session's own */
  halftone_requantize requantize; /* how integer sums become codes */
} halftone_options;
#define HALFTONE_OPTIONS_INIT \
  { sizeof(halftone_options), 1, NULL, HALFTONE_REQUANTIZE_FLOAT }

/* Reads a network from an ONNX file, or from the bytes of one, which are not needed afterwards and may not refer to
 * external data. `options` may be null. */
halftone_status halftone_session_load(const char* path, const halftone_options* options, halftone_session** session);
halftone_status halftone_session_load_memory(const void* data, size_t bytes, const halftone_options* options,
                                             halftone_session** session);

/* Another handle, to be released on its own, that shares the network, its weights and its memory with `session`. With a
 * team its runs use those threads; null: the same ones. */
halftone_status halftone_session_share(const halftone_session* session, const halftone_team* team,
                                       halftone_session** shared);

/* Null is allowed. */
void halftone_session_release(halftone_session* session);

/* --- what a session takes and gives */

/* An input or output. Owned by the session. */
typedef struct halftone_port {
  const char* name;
  halftone_dtype dtype;
  int32_t rank;        /* -1: unknown */
  const int64_t* dims; /* -1: unknown, or up to the caller of run */
  /* The grid of a quantized port: real = scale * (code - zero_point), code_min <= code <= code_max. Tensors and buffers
   * may have this type instead of `dtype`, and hold codes then. HALFTONE_UNDEFINED: not quantized. */
  halftone_dtype code_dtype;
  float scale;
  int32_t zero_point, code_min, code_max;
} halftone_port;

/* Ports in the order that run wants them in; null for a null session or an index beyond the last. */
size_t halftone_session_input_count(const halftone_session* session);
size_t halftone_session_output_count(const halftone_session* session);
const halftone_port* halftone_session_input(const halftone_session* session, size_t index);
const halftone_port* halftone_session_output(const halftone_session* session, size_t index);

/* An entry of the model's metadata, e.g. "halftone.preprocess"; null where there is none. Owned by the session. */
const char* halftone_session_metadata(const halftone_session* session, const char* key);

/* Builds what a run with inputs of these shapes needs, so that the first is as fast as the others, and tells the shape
 * of output `output`: *rank numbers in dims[]. On the way in *rank is the room in dims[]. Of the inputs only rank and
 * dims are looked at; with `inputs` null and a count of 0 all shapes must be fixed in the model. */
halftone_status halftone_session_prepare(const halftone_session* session, const halftone_tensor* inputs,
                                         size_t input_count, size_t output, int64_t* dims, int32_t* rank);

/* Runs the network. Allocates nothing once the shapes are known, with the exceptions of halftone/runtime/session.h.
 * After an error the outputs hold anything. */
halftone_status halftone_session_run(const halftone_session* session, const halftone_tensor* inputs, size_t input_count,
                                     const halftone_buffer* outputs, size_t output_count);

#ifdef __cplusplus
}
#endif

#endif /* HALFTONE_C_HALFTONE_H_ */
