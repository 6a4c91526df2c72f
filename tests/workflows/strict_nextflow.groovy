// Checks Nextflow's scripts and configurations with its strict parser, which is Nextflow's own from 25.10 on:
//   java -cp 'JARS/*' groovy.ui.GroovyMain strict_nextflow.groovy FILE...
// Prints each error and warning with its place, and exits with 1 where there is any, or where there is nothing to check.
import nextflow.config.control.ConfigParser
import nextflow.script.control.ScriptParser
import org.codehaus.groovy.control.messages.SyntaxErrorMessage
import org.codehaus.groovy.control.messages.WarningMessage

def scripts = new ScriptParser()
def configurations = new ConfigParser()
args.each { name ->
    (name.endsWith('.config') ? configurations : scripts).parse(new File(name).canonicalFile)
}
scripts.analyze()
configurations.analyze()

def found = 0
def tell = { source, line, column, kind, text ->
    println("${source}:${line}:${column}: ${kind}: ${text}")
    found++
}
def sources = scripts.compiler().sources.values() + configurations.compiler().sources.values()
sources.each { source ->
    def collector = source.errorCollector
    collector.errors?.each { message ->
        def at = message instanceof SyntaxErrorMessage ? message.cause : null
        tell(source.name, at?.startLine, at?.startColumn, 'error', at ? at.originalMessage : message.toString())
    }
    collector.warnings?.each { WarningMessage message ->
        // nf-core's modules must have it.
        if (message.message.startsWith('Process `when` section will not be supported')) {
            return
        }
        tell(source.name, message.context.startLine, message.context.startColumn, 'warning', message.message)
    }
}
println("${sources.size()} files, ${found} errors and warnings")
System.exit(found == 0 && sources.size() > 0 ? 0 : 1)
