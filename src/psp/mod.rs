//! What does PodSecurityPolicy admission do to a pod?
