/** Load this module and the element is there. */

import { RealtimeWidgetElement } from "./realtime-widget-element.js";

RealtimeWidgetElement.define();
