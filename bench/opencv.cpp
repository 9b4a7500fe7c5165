/* Times OpenCV's contours and their polygons on a picture from a file; arguments, input and output as in potrace.c.
     opencv INPUT OUTPUT runs budget_ms
   Contours join the middles of pixels of the part's colour: 0.5 is added, and they stay half a pixel inside. */
#include <cstdio>
#include <cstring>
#include <cstdlib>
#include <ctime>
#include <opencv2/imgproc.hpp>
#include <vector>

static double now() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  FILE *file = fopen(argv[1], "rb");
  int size[2];
  if (!file || fread(size, 4, 2, file) != 2) return 3;
  cv::setNumThreads(1);
  cv::Mat picture(size[1], size[0], CV_8UC1);
  const size_t pixels = (size_t)size[0] * size[1];
  if (fread(picture.data, 1, pixels, file) != pixels) return 3;
  fclose(file);
  for (size_t i = 0; i < pixels; i++) picture.data[i] = picture.data[i] == 0 ? 255 : 0; /* parts are white to it */

  const int runs = atoi(argv[3]);
  const double budget = atof(argv[4]);
  std::vector<std::vector<cv::Point>> polygons;
  double spent = 0;
  for (int i = 0; i <= runs; i++) { /* the first one warms up */
    polygons.clear();
    const double start = now();
    std::vector<std::vector<cv::Point>> contours;
    std::vector<cv::Vec4i> tree;
    cv::findContours(picture, contours, tree, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
    polygons.resize(contours.size());
    for (size_t k = 0; k < contours.size(); k++) cv::approxPolyDP(contours[k], polygons[k], 1, true);
    const double ms = now() - start;
    spent += ms;
    printf("%.4f\n", ms);
    fflush(stdout);
    if (spent > budget) break;
  }

  if (strcmp(argv[2], "-") == 0) return 0;
  file = fopen(argv[2], "wb");
  for (const auto &polygon : polygons)
    for (size_t k = 0; k < polygon.size(); k++) {
      double item[3] = {k == 0 ? 0.0 : 1.0, polygon[k].x + 0.5, polygon[k].y + 0.5};
      fwrite(item, 8, 3, file);
    }
  return fclose(file) == 0 ? 0 : 5;
}
