#!/usr/bin/env node
import "../dist/small-heap.js";
import "../dist/main.js";
