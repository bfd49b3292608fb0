"""What Dataflow's launcher runs in the image: hands the stream over and ends, with a sentence where it cannot."""

import sys

from pipeline.template import main

sys.exit(main())
