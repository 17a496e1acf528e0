// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// HAProxy in TCP mode.
struct HAProxyPeer: Candidate {
    /// Bytes of a buffer; nil for what it has by itself.
    var buffer: Int?

    var name: String { buffer == nil ? "haproxy" : "haproxy-large" }
    var title: String { buffer.map { "HAProxy, \($0 >> 10) KiB buffers" } ?? "HAProxy" }
    var groups: Set<Work.Group> { buffer == nil ? Set(Work.Group.allCases) : [.calls, .bulk] }
    var missing: String? { program("haproxy") == nil ? "haproxy" : nil }

    func command(_ scene: Scene, port: UInt16) throws -> [String] {
        let text = """
            global
                nbthread 1
                maxconn 9000
                \(buffer.map { "tune.bufsize \($0)" } ?? "")
                ssl-default-bind-options ssl-min-ver TLSv1.3
                ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
            defaults
                mode tcp
                timeout connect 5s
                timeout client 1h
                timeout server 1h
            frontend front
                bind 127.0.0.1:\(port) ssl crt \(scene.combined) ca-file \(scene.clientCA) verify required
                default_backend back
            backend back
                server main unix@\(scene.upstream)

            """
        return [program("haproxy") ?? "haproxy", "-f", try scene.directory.write(text, to: "\(name).cfg")]
    }
}

/// nginx's stream module.
struct NginxPeer: Candidate {
    /// Bytes of a buffer; nil for what it has by itself.
    var buffer: Int?

    var name: String { buffer == nil ? "nginx" : "nginx-large" }
    var title: String { buffer.map { "nginx stream, \($0 >> 10) KiB buffers" } ?? "nginx stream" }
    var groups: Set<Work.Group> { buffer == nil ? Set(Work.Group.allCases) : [.calls, .bulk] }
    private static let module = "/usr/lib/nginx/modules/ngx_stream_module.so"
    var missing: String? {
        program("nginx") == nil || access(Self.module, R_OK) != 0 ? "nginx-light libnginx-mod-stream" : nil
    }

    func command(_ scene: Scene, port: UInt16) throws -> [String] {
        let text = """
            load_module \(Self.module);
            daemon off;
            master_process off;
            pid \(scene.directory.file("\(name).pid"));
            error_log stderr;
            \(getuid() == 0 ? "user root;" : "")
            worker_rlimit_nofile 20000;
            events { worker_connections 16000; }
            stream {
                server {
                    listen 127.0.0.1:\(port) ssl;
                    ssl_certificate \(scene.certificate.certificate);
                    ssl_certificate_key \(scene.certificate.key);
                    ssl_client_certificate \(scene.clientCA);
                    ssl_verify_client on;
                    ssl_protocols TLSv1.3;
                    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
                    ssl_session_cache shared:sessions:16m;
                    \(buffer.map { "proxy_buffer_size \($0);" } ?? "")
                    proxy_pass unix:\(scene.upstream);
                    proxy_timeout 1h;
                }
            }

            """
        let file = try scene.directory.write(text, to: "\(name).conf")
        return [program("nginx") ?? "nginx", "-e", "stderr", "-p", scene.directory.path, "-c", file]
    }
}

/// stunnel, which has a thread for each connection.
struct StunnelPeer: Candidate {
    let name = "stunnel"
    let title = "stunnel"
    let groups = Set(Work.Group.allCases)
    var missing: String? { program("stunnel") == nil ? "stunnel4" : nil }

    func command(_ scene: Scene, port: UInt16) throws -> [String] {
        let text = """
            foreground = yes
            pid =
            debug = err
            [front]
            accept = 127.0.0.1:\(port)
            connect = \(scene.upstream)
            cert = \(scene.certificate.certificate)
            key = \(scene.certificate.key)
            CAfile = \(scene.clientCA)
            verifyChain = yes
            requireCert = yes
            sslVersionMin = TLSv1.3
            ciphersuites = TLS_AES_128_GCM_SHA256
            socket = l:TCP_NODELAY=1

            """
        return [program("stunnel") ?? "stunnel", try scene.directory.write(text, to: "stunnel.conf")]
    }
}

/// hitch, with one worker.
struct HitchPeer: Candidate {
    let name = "hitch"
    let title = "hitch"
    let groups = Set(Work.Group.allCases)
    var missing: String? { program("hitch") == nil ? "hitch" : nil }

    func command(_ scene: Scene, port: UInt16) throws -> [String] {
        let text = """
            frontend = "[127.0.0.1]:\(port)"
            backend = "\(scene.upstream)"
            pem-file = "\(scene.combined)"
            client-verify = required
            client-verify-ca = "\(scene.clientCA)"
            tls-protos = TLSv1.3
            ciphersuites = "TLS_AES_128_GCM_SHA256"
            workers = 1
            \(getuid() == 0 ? "user = \"nobody\"" : "")
            daemon = off
            quiet = on

            """
        let file = try scene.directory.write(text, to: "hitch.conf")
        return [program("hitch") ?? "hitch", "--config=\(file)"]
    }
}

/// ghostunnel, where somebody has installed it: Debian has no package of it.
struct GhostunnelPeer: Candidate {
    let name = "ghostunnel"
    let title = "ghostunnel"
    let groups = Set(Work.Group.allCases)
    var missing: String? { program("ghostunnel") == nil ? "ghostunnel, not in Debian" : nil }

    func command(_ scene: Scene, port: UInt16) -> [String] {
        // One thread, as for the others.
        ["env", "GOMAXPROCS=1", program("ghostunnel") ?? "ghostunnel", "server"]
            + ["--listen", "127.0.0.1:\(port)", "--target", "unix:\(scene.upstream)", "--allow-all"]
            + ["--cert", scene.certificate.certificate, "--key", scene.certificate.key, "--cacert", scene.clientCA]
    }
}
