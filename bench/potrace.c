/* Times potrace's library on a bitmap from a file, and writes the outlines that it finds: the input is in memory before
   the clock starts, and nothing is written before it stops.
     potrace INPUT OUTPUT alphamax opticurve runs budget_ms
   INPUT   i32 width, i32 height, then a byte a pixel, rows top down, 0 black
   OUTPUT  a line of text "ms ms ..." of processor time on stdout; to the file, f64: for each round 0, x, y, then for
           each line 1, x, y and for each cubic 2 with three points; px, y down. OUTPUT "-" writes none. */
#include <potracelib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

static void put(FILE *file, int height, double kind, const potrace_dpoint_t *points, int n) {
  fwrite(&kind, 8, 1, file);
  for (int i = 0; i < n; i++) {
    double xy[2] = {points[i].x, height - points[i].y};
    fwrite(xy, 8, 2, file);
  }
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  FILE *file = fopen(argv[1], "rb");
  int size[2];
  if (!file || fread(size, 4, 2, file) != 2) return 3;
  const int width = size[0], height = size[1];
  unsigned char *gray = malloc((size_t)width * height);
  if (fread(gray, 1, (size_t)width * height, file) != (size_t)width * height) return 3;
  fclose(file);

  const int bits = 8 * sizeof(potrace_word);
  potrace_bitmap_t bitmap = {width, height, (width + bits - 1) / bits, NULL};
  bitmap.map = calloc((size_t)bitmap.dy * height, sizeof(potrace_word));
  for (int y = 0; y < height; y++) /* rows bottom up, the highest bit left */
    for (int x = 0; x < width; x++)
      if (gray[(size_t)y * width + x] == 0)
        bitmap.map[(size_t)(height - 1 - y) * bitmap.dy + x / bits] |= (potrace_word)1 << (bits - 1 - x % bits);
  free(gray);

  potrace_param_t *param = potrace_param_default();
  param->turdsize = 0;
  param->alphamax = atof(argv[3]);
  param->opticurve = atoi(argv[4]);
  param->opttolerance = 0.2;
  const int runs = atoi(argv[5]);
  const double budget = atof(argv[6]);
  potrace_state_t *state = NULL;
  double spent = 0;
  for (int i = 0; i <= runs; i++) { /* the first one warms up */
    if (state) potrace_state_free(state);
    const double start = now();
    state = potrace_trace(param, &bitmap);
    const double ms = now() - start;
    if (!state || state->status != POTRACE_STATUS_OK) return 4;
    spent += ms;
    printf("%.4f\n", ms);
    fflush(stdout);
    if (spent > budget) break;
  }

  if (strcmp(argv[2], "-") == 0) return 0;
  file = fopen(argv[2], "wb");
  for (potrace_path_t *path = state->plist; path; path = path->next) {
    const potrace_curve_t *curve = &path->curve;
    put(file, height, 0, &curve->c[curve->n - 1][2], 1);
    for (int i = 0; i < curve->n; i++)
      if (curve->tag[i] == POTRACE_CURVETO) put(file, height, 2, curve->c[i], 3);
      else {
        put(file, height, 1, &curve->c[i][1], 1);
        put(file, height, 1, &curve->c[i][2], 1);
      }
  }
  return fclose(file) == 0 ? 0 : 5;
}
